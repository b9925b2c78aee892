"""What a data set says of a task's labels, handed to the task when it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

from taskweave.images import IMAGENET, ImageStatistics


@final
@dataclass(frozen=True)
class Labels:
    """Facts of the labels that a task is built for.

    Args:
        names: Of the classes or attributes, in the order of their numbers; () where the task has none.
        far: Depth at which pictures reach the last colour, in metres or in the unit of the data.
        statistics: With which images are normalised before the network sees them.
        targets: Gives an iterator over this task's targets in the train part, image by image, to count class weights
            or fit a codebook on; None where only shapes matter.

    Raises:
        ValueError: `far` is not above 0.
    """

    names: tuple[str, ...] = ()
    far: float = 10.0
    statistics: ImageStatistics = IMAGENET
    targets: Callable[[], Iterator[Any]] | None = None

    def __post_init__(self) -> None:
        if not self.far > 0:
            raise ValueError(f"far is a depth in metres above 0, got {self.far}")


Named = Labels | Sequence[str] | int
"""Labels, the names of the classes alone, or how many there are."""


def as_labels(given: Named) -> Labels:
    """Labels, of names alone where only these are given."""
    if isinstance(given, Labels):
        return given
    return Labels(()) if isinstance(given, int) else Labels(tuple(given))


def class_names(task: str, given: Named, *, least: int, first: int = 0, word: str = "class") -> tuple[str, ...]:
    """The names of the classes that a task is built for; "class 0", "class 1" ... where only their number is given.

    Args:
        task: Its name, for messages.
        least: How many classes there must be.
        first, word: The number of the first unnamed class, and what stands before it.

    Raises:
        ValueError: There are fewer, or one text is given instead of several names.
    """
    plain = given.names if isinstance(given, Labels) else given
    names = tuple(f"{word} {i + first}" for i in range(plain)) if isinstance(plain, int) else tuple(plain)
    if isinstance(plain, str) or len(names) < least:
        wanted = "the names of at least two classes" if least > 1 else "at least one name (background has none)"
        raise ValueError(f"{task} expects {wanted}, or their number, got {plain!r}")
    return names
