"""Which tasks a recipe has, with which weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

from pydantic import Field
from torchmetrics import Metric

from taskweave.experiments.config import Around
from taskweave.parts import Part
from taskweave.parts.kinds import there_is
from taskweave.tasks.task import Task


@final
class TaskEntry(Around):
    """A task, and what it weighs."""

    around: ClassVar[str] = "task"

    task: Part[Task]
    weight: float = Field(default=1.0, gt=0.0)
    """Factor of the task's loss in a network of several tasks."""
    single_weight: float = Field(default=1.0, gt=0.0)
    """Factor of the task's loss in a network of its own."""
    metrics: tuple[Part[Metric], ...] = ()
    """Further metrics beside the task's own."""

    @classmethod
    def kind(cls) -> type:
        return Task

    def without_weights(self) -> dict[str, Any]:
        """What the task is known by, whatever network it is in."""
        return self.identity(without={"weight", "single_weight"})


def named(tasks: Any) -> Any:
    """{name: task} with `use` where it was left out: then the name is the part's."""
    if not isinstance(tasks, Mapping):
        return tasks
    if not tasks:
        raise ValueError(f"a recipe has at least one task; {there_is(Task)}")

    def entry(name: str, given: Any) -> Any:
        if given is None:
            return {"use": name}
        return (
            {"use": name, **given} if isinstance(given, Mapping) and "use" not in given and "task" not in given else given
        )

    return {name: entry(str(name), given) for name, given in tasks.items()}
