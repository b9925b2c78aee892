"""Names of classes, and labels that are none of them."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def names_of(task: str, classes: Sequence[str] | int) -> tuple[str, ...]:
    """Names of at least two classes, from names or their number; raise ValueError for fewer."""
    names = tuple(f"class {i}" for i in range(classes)) if isinstance(classes, int) else tuple(classes)
    if isinstance(classes, str) or len(names) < 2:
        raise ValueError(f"{task} expects the names of at least two classes, or their number, got {classes!r}")
    return names


def few(names: tuple[str, ...]) -> str:
    """For messages: how they are numbered, and the first and last of them."""
    shown = names if len(names) <= 4 else (*names[:2], "...", names[-1])
    return f"0..{len(names) - 1}: {', '.join(shown)}"


def check_class_numbers(task: str, target: Tensor, names: tuple[str, ...], *, ignore: int | None = None) -> None:
    """Raise ValueError for a target that is no integer, none of the classes and not `ignore`."""
    if target.is_floating_point():
        raise ValueError(f"{task} expects integer class numbers as target, got {target.dtype}")
    outside = (target < 0) | (target >= len(names))
    if ignore is not None:
        outside = outside & (target != ignore)
    if outside.any():
        ignored = "" if ignore is None else f"; ignored: {ignore}"
        raise ValueError(
            f"label {int(target[outside][0])} is outside the {len(names)} classes ({few(names)}{ignored}); "
            f"map it when reading the data, or build {task} with all classes"
        )
