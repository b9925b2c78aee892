"""CityPersons: boxes of the persons of Cityscapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from taskweave.data.facts import DETECTION, Folder, SetFacts
from taskweave.data.readers.boxes.boxes_set import PERSON, BoxSet, Found, Objects, Picture, four_numbers
from taskweave.data.readers.faults import DRAWN_OUTSIDE, Accept, Faults
from taskweave.data.readers.files import ReadLabels, read_json, read_picture, require_folder
from taskweave.data.readers.fileset import Field
from taskweave.data.readers.streets.cityscapes import (
    CITYSCAPES_CLASSES,
    SEGMENTATION,
    CityscapesCount,
    label_code,
    pictures_of,
)
from taskweave.parts import states

CITYPERSONS_NAMES = ("pedestrian", "rider", "sitting person", "person (other)", "person group", "ignore")


def _facts(options: Mapping[str, Any]) -> SetFacts:
    names = CITYSCAPES_CLASSES[options["classes"]]
    return SetFacts("CityPersons", (DETECTION, SEGMENTATION), names, (PERSON,), size=(1024, 2048))


def _check(options: Mapping[str, Any]) -> None:
    persons = options["persons"]
    if not persons or len(set(persons)) < len(persons):
        raise ValueError(f"citypersons.persons are names, at least one, that differ, got {list(persons)}")


@states(facts=_facts, check=_check)
def citypersons(
    part: str,
    *,
    path: Folder,
    classes: CityscapesCount = 2,
    persons: tuple[str, ...] = ("pedestrian",),
    accept: Accept = DRAWN_OUTSIDE,
) -> BoxSet:
    """CityPersons' boxes: ``path/gtBboxCityPersons/<part>/<city>/*_gtBboxCityPersons.json`` beside Cityscapes' folders.

    ``bbox`` and ``bboxVis`` are x, y, width, height in pixels from 0; the ratio of their areas is what is ``visible``. The
    one class is ``person``; ``segmentation`` is gtFine's labelIds. Keys and scenes are those of `cityscapes`. (Zhang et al.
    2017.)

    Args:
        part: "train" or "val", which is also the "test".
        path: The folder.
        classes: Of ``segmentation``, as in `cityscapes`.
        persons: Names whose boxes are to be found; all other names' boxes are ignored. The benchmark tests pedestrians
            only.
        accept: Faults to count and warn of; by default boxes that reach outside, since persons are drawn whole from head to
            feet, at one aspect, where the image's edge or others hide a part.
    """
    path, split = Path(path), "val" if part == "test" else part
    if unknown := [name for name in persons if name not in CITYPERSONS_NAMES]:
        raise ValueError(f"CityPersons has no class {unknown[0]!r}; it has {list(CITYPERSONS_NAMES)}")
    require_folder(path / "gtBboxCityPersons" / split, "<city>/*_gtBboxCityPersons.json")
    read_labels = ReadLabels(label_code("labelIds", classes))
    faults = Faults(accept)
    pictures = []
    for image, key, city in pictures_of(path, split):
        annotation = path / "gtBboxCityPersons" / split / city / f"{key}_gtBboxCityPersons.json"
        size, objects = read_citypersons(annotation, persons, faults)
        mask = path / "gtFine" / split / city / f"{key}_gtFine_labelIds.png"
        fields = {SEGMENTATION: Field(mask, read_labels)}
        pictures.append(Picture(key, city, Field(image, read_picture), size, objects, str(annotation), fields))
    faults.warn()
    where, names = str(path / "gtBboxCityPersons" / split), CITYSCAPES_CLASSES[classes]
    return BoxSet(pictures, labels=(DETECTION, SEGMENTATION), objects=(PERSON,), classes=names, where=where)


def read_citypersons(path: Path, persons: Sequence[str], faults: Faults) -> tuple[tuple[int, int], Objects]:
    """(H, W) and the objects of one json file."""
    missing = "every picture has its annotation, if an empty one; restore it"
    content = read_json(path, missing=missing, holds="imgHeight, imgWidth and objects")
    for side in ("imgHeight", "imgWidth"):
        if not isinstance(value := content.get(side), int) or value < 1:
            raise ValueError(f"{path} has {side} {value!r}: expected the image's size in pixels; add it")
    size = (content["imgHeight"], content["imgWidth"])
    entries = content.get("objects")
    if not isinstance(entries, list):
        raise ValueError(f"{path} has no list 'objects': expected imgHeight, imgWidth and objects")
    found = Found()
    for number, entry in enumerate(entries):
        where = f"{path}, objects[{number}]"
        if not isinstance(entry, dict) or entry.get("label") not in CITYPERSONS_NAMES:
            name = entry.get("label") if isinstance(entry, dict) else entry
            faults.unknown(name, CITYPERSONS_NAMES, where)
            continue
        x, y, width, height = four_numbers(entry.get("bbox"), f"{where}: bbox")
        box = faults.checked((x, y, x + width, y + height), size, where)
        if box is not None:
            part = four_numbers(entry.get("bboxVis"), f"{where}: bboxVis")
            visible = min(max(part[2] * part[3] / (width * height), 0.0), 1.0)
            found.add(box, 1, ignore=entry["label"] not in persons, visible=visible)
    return size, found.packed(visible=True)
