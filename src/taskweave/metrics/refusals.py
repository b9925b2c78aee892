"""What metrics refuse: predictions and targets that do not lie over each other, numbers that are no class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor


class Classified(Protocol):
    """What has classes: a task."""

    @property
    def classes(self) -> Sequence[str]:
        """Their names, in the order of their numbers."""


Classes = Classified | Sequence[str] | int
"""A task with classes, their names, or how many there are."""


def class_names(task: Classes, *, first: int = 0, word: str = "class") -> tuple[str, ...]:
    """Return the names of a task's classes; "class 0", "class 1" ... if only their number is given.

    Args:
        first: The number of the first class.
        word: What stands before the number.
    """
    if isinstance(task, int):
        return tuple(f"{word} {number + first}" for number in range(task))
    return tuple(task) if isinstance(task, Sequence) else tuple(task.classes)


def few(names: tuple[str, ...]) -> str:
    """For messages: how they are numbered, and the first and last of them."""
    shown = names if len(names) <= 4 else (*names[:2], "...", names[-1])
    return f"0..{len(names) - 1}: {', '.join(shown)}"


def same_shape(metric: str, prediction: Tensor, target: Tensor, expected: str) -> None:
    """Raise ValueError unless both have one shape with the axes named in `expected`, e.g. "(B, 1, H, W)"."""
    axes = [axis.strip() for axis in expected.strip("()").split(",")]
    fixed = {i: int(axis) for i, axis in enumerate(axes) if axis.isdigit()}
    fits = prediction.ndim == len(axes) and all(prediction.shape[i] == size for i, size in fixed.items())
    if prediction.shape != target.shape or not fits:
        raise ValueError(
            f"{metric} expects a prediction and a target of one shape {expected}, got {tuple(prediction.shape)} "
            f"and {tuple(target.shape)}; decode the output at the label's size first (task.decode(output, size))"
        )


def check_inside(numbers: Tensor, what: str, classes: int) -> None:
    """Raise ValueError for a number outside 0..classes - 1, naming it."""
    outside = (numbers < 0) | (numbers >= classes)
    if outside.any():
        raise ValueError(
            f"{what} {int(numbers[outside][0])} is outside the {classes} classes (0..{classes - 1}); "
            "map it to a class or to the ignored label"
        )
