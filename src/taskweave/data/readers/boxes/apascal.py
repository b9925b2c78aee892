"""aPascal (Farhadi et al., 2009): objects of VOC2008's images with 64 binary attributes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from taskweave.data.facts import ATTRIBUTES, DETECTION, Folder, SetFacts
from taskweave.data.readers.boxes.boxes_set import BoxSet, Found, Picture, chosen_classes, label_of, size_of_picture
from taskweave.data.readers.boxes.voc import VOC_CLASSES
from taskweave.data.readers.faults import Accept, Faults
from taskweave.data.readers.files import read_picture
from taskweave.data.readers.fileset import Field, read_names, require_folder
from taskweave.parts import Where, states

_COUNT = 64
_FIELDS = 6 + _COUNT


def _facts(options: Mapping[str, Any]) -> SetFacts:
    numbered = tuple(f"attribute {number}" for number in range(1, _COUNT + 1))  # their names are in a file
    objects = VOC_CLASSES if options["classes"] is None else options["classes"]
    return SetFacts("aPascal", (DETECTION, ATTRIBUTES), objects=objects, attributes=numbered)


@states(facts=_facts)
def apascal(
    part: str,
    *,
    path: Folder,
    images: Annotated[Path | None, Where] = None,
    classes: tuple[str, ...] | None = None,
    accept: Accept = (),
) -> BoxSet:
    """aPascal: objects of VOC2008's images with 64 attributes, in ``path/attribute_data/``.

    ``apascal_<part>.txt`` has rows ``image class xmin ymin xmax ymax a1 ... a64``, one per object; beside it lie
    attribute_names.txt and class_names.txt. The authors' training set is VOC2008's train list, their test set its val list.
    Boxes count pixels from 1 and include the last one, as VOC's do. No object is marked difficult. An object without any
    attribute is kept: all 64 are 0. The sizes of images are read from their files when the data set is opened. (Farhadi et
    al., 2009.)

    Args:
        part: "train" or "test".
        path: The folder.
        images: VOC2008's ``JPEGImages``; by default ``path/VOCdevkit/VOC2008/JPEGImages``.
        classes: Those to keep, in this order, label 1 first; by default VOC's 20. The other 12 of class_names.txt occur in
            aYahoo only; a row with one is refused as an unknown class unless it is chosen.
        accept: Faults to count and warn of.
    """
    path = Path(path)
    require_folder(path / "attribute_data", "apascal_train.txt, apascal_test.txt, attribute_names.txt and class_names.txt")
    attributes = tuple(read_names(path / "attribute_data" / "attribute_names.txt"))
    if len(attributes) != _COUNT:
        raise ValueError(
            f"{path / 'attribute_data' / 'attribute_names.txt'} has {len(attributes)} names, expected {_COUNT}"
        )
    named = read_names(path / "attribute_data" / "class_names.txt")
    chosen = VOC_CLASSES if classes is None else chosen_classes(classes, named, "aPascal")
    folder = path / "VOCdevkit" / "VOC2008" / "JPEGImages" if images is None else Path(images)
    require_folder(folder, "the images of VOC2008, *.jpg")
    listed = path / "attribute_data" / f"apascal_{part}.txt"
    faults = Faults(accept)
    pictures = _pictures(listed, folder, chosen=chosen, known={*VOC_CLASSES, *chosen}, faults=faults)
    faults.warn()
    return BoxSet(pictures, labels=(DETECTION, ATTRIBUTES), objects=chosen, attributes=attributes, where=str(listed))


def _pictures(
    listed: Path, folder: Path, *, chosen: Sequence[str], known: Collection[str], faults: Faults
) -> list[Picture]:
    found: dict[str, Found] = {}
    sizes: dict[str, tuple[int, int]] = {}
    for number, line in enumerate(read_lines(listed), start=1):
        if not line.strip():
            continue
        where, row = f"{listed}, line {number}", line.split()
        if len(row) != _FIELDS:
            raise ValueError(
                f"{where} has {len(row)} fields, expected {_FIELDS}: "
                f"image class xmin ymin xmax ymax and {_COUNT} attributes"
            )
        image, name = row[:2]
        if not (folder / image).is_file():
            faults.note("missing image", f"{where}: image {image!r} is not in {folder}")
            continue
        if image not in sizes:
            sizes[image], found[image] = size_of_picture(folder / image), Found()
        if name not in known:
            faults.note("unknown class", f"{where}: unknown class {name!r}; expected one of {sorted(known)}")
        x1, y1, x2, y2 = (_number(value, where) for value in row[2:6])
        box = faults.checked((x1 - 1, y1 - 1, x2, y2), sizes[image], where)
        if name in chosen and box is not None:
            found[image].add(box, label_of(name, chosen, where), values=[_flag(value, where) for value in row[6:]])
    return [
        Picture(
            Path(image).stem,
            Path(image).stem,
            Field(folder / image, read_picture),
            sizes[image],
            objects.packed(_COUNT),
            str(listed),
        )
        for image, objects in found.items()
    ]


def read_lines(path: Path) -> list[str]:
    """All lines, so that the place of each is its number; FileNotFoundError where the file is not there."""
    read_names(path)  # names the lists that are there
    return path.read_text(encoding="utf-8").splitlines()


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{where}: {text!r} is no coordinate, expected a number") from None


def _flag(text: str, where: str) -> float:
    if text not in ("0", "1"):
        raise ValueError(f"{where}: attribute {text!r}, expected 0 or 1")
    return float(text)
