"""KITTI's object labels: boxes of road users in text files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple

from annotated_types import Ge, Le

from taskweave.data.facts import DETECTION, Folder, SetFacts
from taskweave.data.readers.boxes.boxes_set import BoxSet, Found, Picture, size_of_picture
from taskweave.data.readers.faults import Accept, Faults
from taskweave.data.readers.files import read_picture, require_folder
from taskweave.data.readers.fileset import Field
from taskweave.parts import states

KITTI_TYPES = (
    "Car", "Van", "Truck", "Pedestrian", "Person_sitting", "Cyclist", "Tram", "Misc", "DontCare",
)  # fmt: skip
KITTI_PEDESTRIANS: Mapping[str, str] = MappingProxyType({"Pedestrian": "person"})
"""Pedestrians as the persons of the other pedestrian sets: for testing across data sets."""
_CELLS = 15


def _facts(options: Mapping[str, Any]) -> SetFacts:
    classes = KITTI_PEDESTRIANS if options["classes"] is None else options["classes"]
    names = tuple(dict.fromkeys(classes.values()))
    return SetFacts("KITTI", (DETECTION,), objects=names, size=(375, 1242))


@states(facts=_facts)
def kitti(
    part: str,
    *,
    path: Folder,
    classes: Mapping[str, str] | None = None,
    ignored: tuple[str, ...] = ("DontCare", "Person_sitting"),
    most_occluded: Annotated[int, Ge(0), Le(3)] = 1,
    most_truncated: Annotated[float, Ge(0.0), Le(1.0)] = 0.3,
    accept: Accept = (),
) -> BoxSet:
    """KITTI's 7,481 labelled images, as a test: ``path/training/{image_2/NNNNNN.png, label_2/NNNNNN.txt}``.

    The labels of KITTI's own test images are not public; the cross-connected paper tests on these. A line has a type,
    truncation, occlusion, an angle, left top right bottom, and seven numbers of the box in space. Left to bottom are taken
    as they are (x2 - x1 is the width, as in KITTI's evaluation). Keys are the numbers; which images are of one drive is not
    said there, so each is its own scene: do not split this set for training and validation by it. KITTI says no visible
    share, so targets have no ``visible``; heights are the metric's. (Geiger et al. 2012.)

    Args:
        part: "test", or "training" as KITTI calls these images.
        path: The folder.
        classes: Types to keep, each under the name of its class; names in their order are the labels 1, 2, ... None for
            pedestrians as persons (`KITTI_PEDESTRIANS`).
        ignored: Types whose boxes are ignored, for every class. KITTI's evaluation ignores sitting persons where it counts
            pedestrians. Types in neither are left out.
        most_occluded: 0 fully visible, 1 partly, 2 largely occluded, 3 unknown: what is more so is ignored.
        most_truncated: The share of the object beyond the image: what is more so is ignored. Both defaults are those of
            KITTI's level "moderate".
        accept: Faults to count and warn of.
    """
    if part not in ("test", "training"):
        raise ValueError(
            f"KITTI's labelled images ({path}) are a test here, never trained on: give them as a further test, "
            f"part 'test'; got {part!r}"
        )
    root = Path(path) / "training"
    require_folder(root / "image_2", "NNNNNN.png")
    require_folder(root / "label_2", "NNNNNN.txt")
    classes = KITTI_PEDESTRIANS if classes is None else classes
    _require_types(classes, ignored)
    faults = Faults(accept)
    labels = {name: label for label, name in enumerate(dict.fromkeys(classes.values()), start=1)}
    numbers = {kind: (labels[name],) for kind, name in classes.items()} | dict.fromkeys(ignored, tuple(labels.values()))
    pictures = []
    for text in sorted((root / "label_2").glob("*.txt")):
        image = root / "image_2" / f"{text.stem}.png"
        if not image.is_file():
            raise FileNotFoundError(f"{image} does not exist: {text} belongs to it; restore it or remove the text")
        size, found = size_of_picture(image), Found()
        for entry in read_kitti_labels(text, faults):
            if entry.kind not in numbers:
                continue
            hidden = entry.occluded > most_occluded or entry.truncated > most_truncated
            box = faults.checked(entry.box, size, entry.where)
            if box is None:
                continue
            for label in numbers[entry.kind]:
                found.add(box, label, ignore=entry.kind in ignored or hidden)
        pictures.append(Picture(text.stem, text.stem, Field(image, read_picture), size, found.packed(), str(text)))
    faults.warn()
    return BoxSet(pictures, labels=(DETECTION,), objects=tuple(labels), where=str(root / "label_2"))


def _require_types(classes: Mapping[str, str], ignored: Sequence[str]) -> None:
    if not classes:
        raise ValueError(f"no class is chosen: give some of KITTI's types {list(KITTI_TYPES)}")
    for kind in (*classes, *ignored):
        if kind not in KITTI_TYPES:
            raise ValueError(f"KITTI has no type {kind!r}; it has {list(KITTI_TYPES)}")
    if both := [kind for kind in ignored if kind in classes]:
        raise ValueError(f"type {both[0]!r} is both in classes and in ignored: remove one")


class _Line(NamedTuple):
    where: str
    kind: str
    truncated: float
    occluded: float
    box: tuple[float, float, float, float]


def read_kitti_labels(path: Path, faults: Faults) -> Iterator[_Line]:
    """The objects of one label file; ValueError names the line that is not one."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        where, cells = f"{path}, line {number}", line.split()
        if not cells:
            continue
        if len(cells) != _CELLS:
            raise ValueError(f"{where} has {len(cells)} cells: expected {_CELLS}, a type and 14 numbers")
        if cells[0] not in KITTI_TYPES:
            faults.unknown(cells[0], KITTI_TYPES, where)
            continue
        try:
            values = [float(cell) for cell in cells[1:]]
        except ValueError as error:
            raise ValueError(f"{where}: {error}; expected 14 numbers behind the type") from None
        x1, y1, x2, y2 = values[3:7]
        yield _Line(where, cells[0], values[0], values[1], (x1, y1, x2, y2))
