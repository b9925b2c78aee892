"""What an inspection finds, as data, and how it is measured while pictures are looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import Tensor
from torchvision import tv_tensors

from taskweave.data.readers.files import IGNORE, real
from taskweave.data.tensors import Depth, Disparity, Normals

SCHEMA, VERSION = "taskweave.inspection", 1


@final
@dataclass(frozen=True)
class TargetFacts:
    """One target (or the image) of a split, as found in the pictures that were looked at.

    Args:
        pictures: Number of pictures it was read in.
        stored: Type and shape of the numbers in the files; "" if a file holds more than one picture.
        stored_range: Smallest and largest number in the files.
        read: Kind, type and shape of what the reader returns.
        read_range: Smallest and largest valid value that the reader returns; None for boxes.
        invalid: Share of pixels without a label, 0 to 1; None for images and boxes.
        remark: Unit, classes found, boxes.
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
    """What was found in one split.

    Args:
        count: Number of pictures in the split; None if it cannot be opened.
        looked_at: Number of pictures that were read.
    """

    split: str
    count: int | None
    looked_at: int
    targets: tuple[TargetFacts, ...]


@final
@dataclass(frozen=True)
class Warned:
    """One warning of an inspection.

    Args:
        kind: The trap, or "cannot be opened" or "cannot be read".
        split: The split concerned; "" for the entire folder.
    """

    kind: str
    split: str
    text: str


@final
@dataclass(frozen=True)
class LayoutFacts:
    """One layout that the folder matches.

    Args:
        reader: Name of the reader in ``tw.data``.
        notes: Facts worth knowing that are not mistakes.
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
    """What an inspection found in a folder.

    Args:
        layouts: The layouts that `path` matches. If there are none, `nearly` and `inside` report what was found instead.
        unknown: Names at the top of the folder that no reader of `layouts` knows.
        inside: {folder below `path`: the layouts it matches}.
    """

    path: str
    layouts: tuple[LayoutFacts, ...]
    unknown: tuple[str, ...]
    nearly: tuple[Nearly, ...]
    inside: dict[str, tuple[str, ...]]

    def as_json(self) -> dict[str, Any]:
        """Plain values; the fields are those of these classes."""
        return {"schema": SCHEMA, "version": VERSION, **asdict(self)}


Array = npt.NDArray[Any]


def holds_one(path: Path) -> bool:
    """Whether the file is one picture or label, not a video or an archive of them."""
    return path.suffix.lower() in (".npy", ".png", ".jpg", ".jpeg")


def stored_values(path: Path) -> Array | None:
    """The numbers in a file that holds one picture or label, as they are; None for another file or an unreadable one."""
    if not holds_one(path):
        return None
    try:
        if path.suffix == ".npy":
            return np.asarray(np.load(path, allow_pickle=False))
        with Image.open(path) as file:
            return np.array(file)
    except (OSError, ValueError, EOFError, SyntaxError, Image.DecompressionBombError):
        return None


@final
class Numbers:
    """Types, shapes and the range of arrays, one after the other."""

    def __init__(self) -> None:
        self.types: dict[str, None] = {}
        self.low: list[int] = []
        self.high: list[int] = []
        self.mixed = False
        self.range: tuple[float, float] | None = None

    def add(self, values: Array, counted: Array | None = None) -> None:
        """Add the type, shape and range of an array.

        Args:
            counted: The values that count towards the range. Default: all.
        """
        self.types[str(values.dtype)] = None
        shape = list(values.shape)
        self.mixed |= bool(self.low) and len(self.low) != len(shape)
        if not self.low:
            self.low, self.high = shape, list(shape)
        elif not self.mixed:
            self.low = [min(pair) for pair in zip(self.low, shape, strict=True)]
            self.high = [max(pair) for pair in zip(self.high, shape, strict=True)]
        part = values if counted is None else counted
        if part.size and real(part):
            least, most = float(part.min()), float(part.max())
            before = self.range or (least, most)
            self.range = (min(least, before[0]), max(most, before[1]))

    def __str__(self) -> str:
        if not self.types:
            return ""
        sizes = [f"{a}" if a == b else f"{a}..{b}" for a, b in zip(self.low, self.high, strict=True)]
        return f"{'/'.join(self.types)} {'of several ranks' if self.mixed else ' x '.join(sizes)}"


@final
class Facts:
    """Gather the facts of one target over the pictures that are looked at.

    Args:
        number: How many classes the target may have.
    """

    def __init__(self, target: str, number: int = 0) -> None:
        self.target = target
        self.number = number
        self.stored, self.read = Numbers(), Numbers()
        self.pictures = self.invalid = self.pixels = 0
        self.kind = ""
        self.classes: set[int] = set()
        self.boxes: list[Array] = []
        self.ignored = 0

    def add(self, stored: Array | None, value: Any | None) -> None:
        """What is in the file, and what the reader made of it; None where there is none."""
        if stored is not None:
            self.stored.add(stored)
        if value is None:
            return
        self.pictures += 1
        self.kind = type(value).__name__
        boxes = {"boxes": value} if isinstance(value, tv_tensors.BoundingBoxes) else value
        if isinstance(boxes, Mapping) and "boxes" in boxes:
            self._add_boxes(boxes)
            return
        if not isinstance(value, Tensor):  # of somebody's own, in a store
            return
        array = value.as_subclass(Tensor).numpy()
        known = known_pixels(value)
        if known is None:
            self.read.add(array)
            if not array.ndim:  # one number of the whole picture
                self.kind = "number"
                self.classes.add(int(array))
            return
        counted = array[..., known]
        self.read.add(array, counted)
        self.pixels += known.size
        self.invalid += int((~known).sum())
        if isinstance(value, tv_tensors.Mask):
            self.classes |= {int(number) for number in np.unique(counted)}

    def _add_boxes(self, target: Mapping[str, Any]) -> None:
        self.kind = "boxes"
        self.boxes.append(target["boxes"].as_subclass(Tensor).numpy())
        if "labels" not in target:
            self.number = 0  # boxes of one kind
        else:
            self.classes |= {int(number) for number in target["labels"].unique()}
        if "ignore" in target:
            self.ignored += int(target["ignore"].sum())

    def done(self) -> TargetFacts:
        share = self.invalid / self.pixels if self.pixels else None
        read = f"{self.kind} {self.read}".strip() if self.kind != "boxes" else "boxes"
        return TargetFacts(
            self.target, self.pictures, str(self.stored), self.stored.range, read, self.read.range, share,
            self._remark(),
        )  # fmt: skip

    def _remark(self) -> str:
        if self.kind == "boxes":
            rows = np.concatenate(self.boxes)
            heights = rows[:, 3] - rows[:, 1]
            sizes = f", {heights.min():.0f}..{heights.max():.0f} px high" if len(rows) else ""
            ignored = f", {self.ignored / len(rows):.0%} ignored" if self.ignored else ""
            seen = f", {len(self.classes)} of {self.number} classes seen" if self.number else ""
            return f"{len(rows) / len(self.boxes):.1f} a picture{sizes}{ignored}{seen}"
        if self.kind == "Mask" or (self.kind == "number" and self.number):
            return f"{len(self.classes)} of {self.number} classes seen"
        if self.kind == "Disparity":
            return "inverse depth" if self.target.startswith("depth") else "pixels"
        return {"Depth": "metres"}.get(self.kind, "")


def known_pixels(value: Any) -> npt.NDArray[np.bool_] | None:
    """(H, W): where a target has a label; None for an image."""
    plain = value.as_subclass(Tensor)
    if isinstance(value, tv_tensors.Mask):
        known = plain != IGNORE
    elif isinstance(value, Depth | Disparity):
        known = plain[0] > 0
    elif isinstance(value, Normals):
        known = plain.square().sum(0) > 0
    else:
        return None
    return np.asarray(known.numpy())
