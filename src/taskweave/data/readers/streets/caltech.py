"""Caltech Pedestrian: as published, videos with their annotations, and as single pictures with text files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, final

from annotated_types import Ge, Gt

from taskweave.data.facts import DETECTION, Folder, SetFacts
from taskweave.data.readers.boxes.boxes_set import PERSON, BoxSet, Found, Picture, size_of_picture
from taskweave.data.readers.faults import DRAWN_OUTSIDE, Accept, Faults
from taskweave.data.readers.files import read_picture, require_folder
from taskweave.data.readers.fileset import Field
from taskweave.data.readers.streets.caltech_files import Box, Drawn, ReadFrame, read_vbb, scan_sequence
from taskweave.parts import states

CALTECH_NAMES = ("person", "people", "person?", "person-fa", "ignore")
IGNORED = ("people", "person?", "ignore")
Step = Annotated[int, Ge(1)]
Border = Annotated[float, Ge(0.0)]
Aspect = Annotated[float, Gt(0.0)] | None
TRAIN_SETS, TEST_SETS = range(6), range(6, 11)


@final
@dataclass(frozen=True)
class CaltechRules:
    """How an annotated object becomes a box to find, one to ignore, or none; see `caltech`."""

    ignored: Sequence[str]
    border: float
    aspect: float | None
    faults: Faults

    def __post_init__(self) -> None:
        if unknown := [name for name in self.ignored if name not in CALTECH_NAMES or name == PERSON]:
            raise ValueError(f"Caltech has no class {unknown[0]!r} to ignore; it has {list(CALTECH_NAMES[1:])}")
        if self.border < 0 or (self.aspect is not None and self.aspect <= 0):
            raise ValueError(f"border is 0 or more and aspect above 0, got border={self.border}, aspect={self.aspect}")

    def add(self, found: Found, entry: Drawn, size: tuple[int, int], where: str, *, marked: bool = False) -> None:
        """Add `entry` to the objects found in an image.

        Args:
            size: (height, width) of the image.
            where: File and line, for messages.
            marked: Whether the annotation itself marks the entry as one to ignore.
        """
        if entry.name not in CALTECH_NAMES:
            self.faults.note(
                "unknown class", f"{where}: unknown class {entry.name!r}; expected one of {list(CALTECH_NAMES)}"
            )
            return
        if entry.name not in (PERSON, *self.ignored):
            return
        ignore = marked or entry.name in self.ignored or self._near_border(entry.box, size)
        x, y, width, height = entry.box
        if self.aspect is not None and width > 0 and not ignore:
            x, width = x + (width - self.aspect * height) / 2, self.aspect * height
        box = self.faults.checked((x - 1, y - 1, x - 1 + width, y - 1 + height), size, where)
        if box is not None:
            found.add(box, 1, ignore=ignore, visible=visible_share(entry))

    def opened(self, pictures: Iterable[Picture], where: str) -> BoxSet:
        """The pictures as a data set, and a warning of what was met in them."""
        listed = list(pictures)
        self.faults.warn()
        return BoxSet(listed, labels=(DETECTION,), objects=(PERSON,), where=where)

    def _near_border(self, box: Box, size: tuple[int, int]) -> bool:
        x, y, width, height = box
        low, right, bottom = self.border, size[1] - self.border, size[0] - self.border
        return self.border > 0 and not (x >= low and y >= low and x + width <= right and y + height <= bottom)


def visible_share(entry: Drawn) -> float:
    """The share of an object that can be seen, as the release's own evaluation has it.

    1 where it is not marked as occluded or nothing is said of its visible part; 0 where that part is the whole box, which
    there says that hardly anything is to be seen; else the areas' ratio.
    """
    if not entry.occluded or entry.part is None:
        return 1.0
    if entry.part == entry.box:
        return 0.0
    whole = entry.box[2] * entry.box[3]
    return min(max(entry.part[2] * entry.part[3] / whole, 0.0), 1.0) if whole > 0 else 0.0


_FACTS = SetFacts("Caltech Pedestrian", (DETECTION,), objects=(PERSON,))


def _frames(part: str, train_step: int, test_step: int) -> tuple[Sequence[int], int]:
    """The numbers of a part's sets, and every which frame of them is read."""
    sets = {"train": TRAIN_SETS, "test": TEST_SETS, "all": range(11)}
    if part not in sets:
        raise ValueError(f"Caltech Pedestrian has no split {part!r}: expected one of {list(sets)}")
    step = test_step if part == "test" else train_step
    if step < 1:
        raise ValueError(f"a step is every which frame to read, 1 or more, got {step}")
    return sets[part], step


_VIDEO = re.compile(r"V\d{3}")


@states(facts=_FACTS)
def caltech(
    part: str,
    *,
    path: Folder,
    train_step: Step = 3,
    test_step: Step = 30,
    ignored: tuple[str, ...] = IGNORED,
    border: Border = 5.0,
    aspect: Aspect = None,
    accept: Accept = DRAWN_OUTSIDE,
) -> BoxSet:
    """Caltech Pedestrian as published: ``path/setNN/VNNN.seq`` with ``path/annotations/setNN/VNNN.vbb``.

    The release's tools keep the sets in ``path/videos``; where there is such a folder, they are read from it.

    The one class is ``person``. Boxes count pixels from 1: x, y, width, height become x - 1, y - 1, x - 1 + width,
    y - 1 + height. Each target says what share of a person is ``visible``, so that `taskweave.metrics.REASONABLE` can
    choose those at least 50 pixels high and 65 % visible. Keys are ``setNN_VNNN_INNNNN`` with the frame from 0; the scene
    is the set, as the videos of one follow each other. Opening reads every annotation and finds the frames of every video;
    pictures are decoded when asked for. (Dollár et al. 2012.)

    Args:
        part: "train" (sets 00 to 05), "test" (06 to 10) or "all".
        path: The folder.
        train_step: Every which frame is read, unless for the test: 3 gives 42,782 images, as in the cross-connected paper.
            The first is frame step - 1, as in the release's own tools.
        test_step: The same for the test: 30 gives 4,024 images.
        ignored: Classes whose boxes are ignored; other boxes than these and ``person`` are left out. Deviation: the
            release's evaluation ignores ``people`` only and leaves ``person?`` out, though its paper ignores both.
        border: A person that comes nearer than this many pixels to the image's edge is ignored, as in that evaluation.
        aspect: Make persons' boxes this wide, in heights, about their centre: 0.41 in that evaluation, which does the same
            to detections. None leaves them as drawn.
        accept: Faults to count and warn of; by default boxes that reach outside, since the persons that the edge cuts are
            drawn whole (or made so by `aspect`).
    """
    path = Path(path)
    require_folder(path, "set00/ ... set10/ and annotations/")
    sets, step = _frames(part, train_step, test_step)
    rules = CaltechRules(ignored, border, aspect, Faults(accept))
    pictures = (picture for video in _videos(path, sets) for picture in _pictures(video, path, step, rules))
    return rules.opened(pictures, f"{path} ({part}, every {step}. frame)")


def _videos(path: Path, sets: Sequence[int]) -> Iterator[Path]:
    videos = path / "videos" if (path / "videos").is_dir() else path
    for number in sets:
        folder = videos / f"set{number:02d}"
        require_folder(folder, "videos VNNN.seq")
        yield from sorted(file for file in folder.glob("V*.seq") if _VIDEO.fullmatch(file.stem))


def _pictures(video: Path, path: Path, step: int, rules: CaltechRules) -> Iterator[Picture]:
    """The annotated frames of one video that are read."""
    annotation = path / "annotations" / video.parent.name / f"{video.stem}.vbb"
    frames = read_vbb(annotation)
    sequence = scan_sequence(video)
    if len(frames) > len(sequence.offsets):
        raise ValueError(
            f"{video} has {len(sequence.offsets)} frames and {annotation} annotates {len(frames)}: "
            f"one of them is truncated or another's; copy them again"
        )
    for frame in range(step - 1, len(frames), step):
        found = Found()
        for number, entry in enumerate(frames[frame], start=1):
            rules.add(found, entry, sequence.size, f"{annotation}, frame {frame} (from 0), object {number}")
        scene = video.parent.name
        image = Field(video, ReadFrame(frame, sequence.offsets[frame]))
        key, objects = f"{scene}_{video.stem}_I{frame:05d}", found.packed(visible=True)
        yield Picture(key, scene, image, sequence.size, objects, str(video))


_KEY = re.compile(r"(set(\d{2}))_V\d{3}_I(\d{5})")
_SUFFIXES = (".jpg", ".png")
_FIRST = "% bbGt version=3"


@states(facts=_FACTS)
def caltech_extracted(
    part: str,
    *,
    path: Folder,
    train_step: Step = 3,
    test_step: Step = 30,
    annotations: Path | None = None,
    ignored: tuple[str, ...] = IGNORED,
    border: Border = 5.0,
    aspect: Aspect = None,
    accept: Accept = DRAWN_OUTSIDE,
) -> BoxSet:
    """Caltech Pedestrian, extracted: ``path/images/setNN_VNNN_INNNNN.jpg`` (or .png), ``path/annotations/..._INNNNN.txt``.

    The texts have a first line ``% bbGt version=3`` and a line for each object: class, x y w h, whether it is occluded,
    x y w h of its visible part, whether it is to be ignored, its angle. Everything else is as in `caltech`.

    Args:
        part: "train", "test" or "all".
        path: The folder.
        train_step: Of the frames that there are, those are read whose number + 1 it divides, unless for the test.
        test_step: The same for the test: 30 for the test set out of any extraction.
        annotations: Another folder of texts, e.g. the corrected ones of Zhang et al. (2016), also called ``....jpg.txt``.
        ignored, border, aspect, accept: As in `caltech`.
    """
    path = Path(path)
    texts = path / "annotations" if annotations is None else Path(annotations)
    require_folder(path / "images", "setNN_VNNN_INNNNN.jpg")
    require_folder(texts, "setNN_VNNN_INNNNN.txt")
    sets, step = _frames(part, train_step, test_step)
    rules = CaltechRules(ignored, border, aspect, Faults(accept))
    pictures = (_extracted(image, scene, texts, rules) for image, scene in _images(path / "images", sets, step))
    return rules.opened(pictures, f"{path} ({part}, every {step}. frame)")


def _images(folder: Path, sets: Sequence[int], step: int) -> Iterator[tuple[Path, str]]:
    """The pictures to read, each with its set."""
    for image in sorted(file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES):
        parts = _KEY.fullmatch(image.stem)
        if parts is None:
            raise ValueError(f"{image} is not called setNN_VNNN_INNNNN: rename it or move it elsewhere")
        if int(parts[2]) in sets and (int(parts[3]) + 1) % step == 0:
            yield image, parts[1]


def _extracted(image: Path, scene: str, texts: Path, rules: CaltechRules) -> Picture:
    candidates = [texts / f"{image.stem}.txt", texts / f"{image.name}.txt"]
    there = [file for file in candidates if file.is_file()]
    if not there:
        raise FileNotFoundError(f"{candidates[0]} does not exist: {image} has an annotation, if an empty one; restore it")
    size, found = size_of_picture(image), Found()
    for where, marked, entry in read_bbgt(there[0]):
        rules.add(found, entry, size, where, marked=marked)
    return Picture(image.stem, scene, Field(image, read_picture), size, found.packed(visible=True), str(image))


def read_bbgt(path: Path) -> Iterator[tuple[str, bool, Drawn]]:
    """(file and line, whether to be ignored, object) of each line. ValueError names the line that is not one."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0].strip() != _FIRST:
        raise ValueError(f"{path}, line 1 is {lines[:1]}: expected '{_FIRST}'")
    for number, line in enumerate(lines[1:], start=2):
        if line.strip():
            yield f"{path}, line {number}", *_object(line.split(), f"{path}, line {number}")


def _object(cells: Sequence[str], where: str) -> tuple[bool, Drawn]:
    if len(cells) != 12:
        raise ValueError(f"{where} has {len(cells)} cells: expected class, x y w h, occluded, x y w h, ignore, angle")
    try:
        x, y, width, height, occluded, vx, vy, vwidth, vheight, ignore, angle = (float(cell) for cell in cells[1:])
    except ValueError as error:
        raise ValueError(f"{where}: {error}; expected numbers behind the class") from None
    if angle:
        raise ValueError(f"{where} has an angle of {angle:g} degrees: expected 0, upright boxes")
    part = (vx, vy, vwidth, vheight)
    return bool(ignore), Drawn(cells[0], (x, y, width, height), bool(occluded), part if any(part) else None)
