"""What is wrong in a release: refused with its place, or accepted, counted and told once."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from typing import Literal, final

Fault = Literal["outside", "empty", "missing image", "unknown class"]
Accept = tuple[Fault, ...]
"""Faults to count and warn of; every other one is refused."""
DRAWN_OUTSIDE: Accept = ("outside",)
"""Of data sets that draw objects whole where the image's edge cuts them."""
_DONE: dict[Fault, str] = {
    "outside": "boxes reach outside their image and were clipped to it",
    "empty": "boxes have no area and were left out",
    "missing image": "rows name an image that is not there and were left out",
    "unknown class": "objects have an unknown class and were left out",
}


@final
class Faults:
    """Faults met while annotations are read. One that is not in `accept` raises ValueError at once."""

    def __init__(self, accept: Collection[Fault] = ()) -> None:
        if unknown := [fault for fault in accept if fault not in _DONE]:
            raise ValueError(f"no fault is called {unknown[0]!r}: accept takes {list(_DONE)}")
        self._accept = tuple(accept)
        self._met: dict[Fault, list[str]] = {}

    def note(self, fault: Fault, message: str) -> None:
        """A fault, with file, line and value in `message`."""
        if fault not in self._accept:
            raise ValueError(f"{message}; correct it, or open the data set with accept=({fault!r},)")
        self._met.setdefault(fault, []).append(message)

    def unknown(self, name: object, known: Collection[str], where: str) -> None:
        """A class that is none of those known."""
        self.note("unknown class", f"{where}: unknown class {name!r}; expected one of {list(known)}")

    def warn(self) -> None:
        """One warning for each kind of fault that was met, with their number and the first of them."""
        for fault, messages in self._met.items():
            warnings.warn(f"{len(messages)} {_DONE[fault]}; the first: {messages[0]}", stacklevel=3)

    def checked(self, box: Sequence[float], size: tuple[int, int], where: str) -> tuple[float, float, float, float] | None:
        """Return `box` clipped to its image, or None if it must be left out.

        Args:
            box: x1, y1, x2, y2.
            size: (height, width) of the image.
            where: File and line, for messages.

        Raises:
            ValueError: The box is faulty, and this fault is not accepted.
        """
        x1, y1, x2, y2 = box
        if not (x2 > x1 and y2 > y1):  # also where one is NaN
            self.note("empty", f"{where}: box {_show(box)} has no area (x1, y1, x2, y2)")
            return None
        height, width = size
        if x1 >= 0 and y1 >= 0 and x2 <= width and y2 <= height:
            return (x1, y1, x2, y2)
        self.note("outside", f"{where}: box {_show(box)} reaches outside the image, {width} wide and {height} high")
        clipped = (max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height)))
        return clipped if clipped[2] > clipped[0] and clipped[3] > clipped[1] else None


def _show(box: Sequence[float]) -> str:
    return "(" + ", ".join(f"{value:g}" for value in box) + ")"


@final
class Dropped:
    """Counts what is left out of `total` samples of `where`."""

    def __init__(self, where: str, total: int) -> None:
        self._where = where
        self._total = total
        self._met: dict[str, list[str]] = {}

    def note(self, reason: str, example: str) -> None:
        """Count one sample that is left out.

        Args:
            reason: What is wrong with it, e.g. "with no gender".
            example: The sample and its faulty value.
        """
        self._met.setdefault(reason, []).append(example)

    def __str__(self) -> str:
        parts = [f"{len(examples)} {reason} (the first: {examples[0]})" for reason, examples in self._met.items()]
        return (
            f"{self._where}: {sum(map(len, self._met.values()))} of {self._total} images were left out: {'; '.join(parts)}"
        )

    def warn(self) -> None:
        """One warning with all reasons; none where nothing was left out."""
        if self._met:
            warnings.warn(str(self), stacklevel=3)
