"""Caltech Pedestrian as single pictures and text files, as the release's tools extract it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from taskweave.data.facts import DETECTION, Folder
from taskweave.data.readers.boxes.boxes_set import PERSON, BoxSet, Found, Picture, size_of_picture
from taskweave.data.readers.faults import DRAWN_OUTSIDE, Accept, Faults
from taskweave.data.readers.files import read_picture
from taskweave.data.readers.fileset import Field, require_folder
from taskweave.data.readers.streets.caltech_rules import (
    IGNORED,
    Aspect,
    Border,
    CaltechRules,
    Step,
    caltech_facts,
    sets_of,
    step_of,
)
from taskweave.data.readers.streets.vbb import Drawn
from taskweave.parts import states

_KEY = re.compile(r"(set(\d{2}))_V\d{3}_I(\d{5})")
_SUFFIXES = (".jpg", ".png")
_FIRST = "% bbGt version=3"


@states(facts=caltech_facts)
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
    step = step_of(part, train_step, test_step)
    rules, faults = CaltechRules(ignored, border, aspect), Faults(accept)
    pictures = [
        _picture(image, scene, texts, rules=rules, faults=faults)
        for image, scene in _images(path / "images", sets_of(part), step)
    ]
    faults.warn()
    return BoxSet(pictures, labels=(DETECTION,), objects=(PERSON,), where=f"{path} ({part}, every {step}. frame)")


def _images(folder: Path, sets: Sequence[int], step: int) -> Iterator[tuple[Path, str]]:
    """The pictures to read, each with its set."""
    for image in sorted(file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES):
        parts = _KEY.fullmatch(image.stem)
        if parts is None:
            raise ValueError(f"{image} is not called setNN_VNNN_INNNNN: rename it or move it elsewhere")
        if int(parts[2]) in sets and (int(parts[3]) + 1) % step == 0:
            yield image, parts[1]


def _picture(image: Path, scene: str, texts: Path, *, rules: CaltechRules, faults: Faults) -> Picture:
    candidates = [texts / f"{image.stem}.txt", texts / f"{image.name}.txt"]
    there = [file for file in candidates if file.is_file()]
    if not there:
        raise FileNotFoundError(f"{candidates[0]} does not exist: {image} has an annotation, if an empty one; restore it")
    size, found = size_of_picture(image), Found()
    for where, marked, entry in read_bbgt(there[0]):
        rules.add(found, entry, size=size, where=where, faults=faults, marked=marked)
    return Picture(image.stem, scene, Field(image, read_picture), size, found.packed(visible=True), str(image))


def read_bbgt(path: Path) -> Iterator[tuple[str, bool, Drawn]]:
    """(file and line, whether to be ignored, object) of each line. ValueError names the line that is not one."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0].strip() != _FIRST:
        raise ValueError(f"{path}, line 1 is {lines[:1]}: expected '{_FIRST}'")
    for number, line in enumerate(lines[1:], start=2):
        where = f"{path}, line {number}"
        if line.strip():
            marked, entry = _object(line.split(), where)
            yield where, marked, entry


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
