"""What an inspection found, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, final

SCHEMA, VERSION = "taskweave.inspection", 1


@final
@dataclass(frozen=True)
class TargetFacts:
    """One target (or the image) of a split, as seen in the pictures that were looked at.

    pictures: in how many of these it was read.
    stored: type and shape of the numbers in the files; "" where the file holds more than one picture.
    stored_range: least and largest of these numbers.
    read: type and shape of what the reader gives.
    read_range: least and largest value that is not invalid; None for boxes.
    invalid: share of pixels without a label, 0 to 1; None for images and boxes.
    remark: what else there is to say: unit, classes seen, boxes.
    """

    target: str
    pictures: int
    stored: str
    stored_range: tuple[float, float] | None
    read: str
    read_range: tuple[float, float] | None
    invalid: float | None
    remark: str


@final
@dataclass(frozen=True)
class SplitFacts:
    """count: pictures of the split, None where it cannot be opened. looked_at: how many of them were read."""

    split: str
    count: int | None
    looked_at: int
    targets: tuple[TargetFacts, ...]


@final
@dataclass(frozen=True)
class Warned:
    """kind: which trap, or "cannot be opened", "cannot be read". split: where; "" for the whole folder."""

    kind: str
    split: str
    text: str


@final
@dataclass(frozen=True)
class LayoutFacts:
    """One layout that the folder is in.

    reader: The function in ``tw.data``, and what recipes `use`.
    notes: what is no mistake and good to know.
    """

    layout: str
    reader: str
    splits: tuple[SplitFacts, ...]
    warnings: tuple[Warned, ...]
    notes: tuple[str, ...]


@final
@dataclass(frozen=True)
class Nearly:
    """A layout of which the folder has some parts. has, lacks: patterns below the folder."""

    layout: str
    has: tuple[str, ...]
    lacks: tuple[str, ...]


@final
@dataclass(frozen=True)
class Inspection:
    """layouts: those that `path` is in; where there are none, `nearly` and `inside` say what is there instead.

    unknown: names at the top of the folder that no reader of `layouts` knows.
    inside: {folder directly below `path`: layouts that it is in}.
    """

    path: str
    layouts: tuple[LayoutFacts, ...]
    unknown: tuple[str, ...]
    nearly: tuple[Nearly, ...]
    inside: dict[str, tuple[str, ...]]

    def as_json(self) -> dict[str, Any]:
        """Plain values; the fields are those of these classes."""
        return {"schema": SCHEMA, "version": VERSION, **asdict(self)}
