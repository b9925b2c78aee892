"""What every task of a recipe states."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from taskweave.experiments.choices.choice import Choice


class TaskChoice(Choice):
    """Weights; the rest is the task's own."""

    unimportant: ClassVar[frozenset[str]] = frozenset()
    """Fields that change no result."""

    weight: float = Field(default=1.0, gt=0.0)
    """Factor of the task's loss in a network of several tasks."""
    single_weight: float = Field(default=1.0, gt=0.0)
    """Factor of the task's loss in a network of its own."""

    def without_weights(self) -> dict[str, Any]:
        """What the task is known by, whatever network it is in."""
        return self.determining(without={"weight", "single_weight", *self.unimportant})
