"""PASCAL VOC 2007 to 2012, boxes of 20 classes in XML files; and aPascal, 64 attributes of VOC2008's objects."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, final

from taskweave.data.facts import ATTRIBUTES, DETECTION, Folder, SetFacts
from taskweave.data.readers.boxes.boxes_set import (
    BoxSet,
    Found,
    Objects,
    Picture,
    chosen_classes,
    number_in,
    size_of_picture,
)
from taskweave.data.readers.faults import Accept, Faults
from taskweave.data.readers.files import read_names, read_picture, require_folder
from taskweave.data.readers.fileset import Field
from taskweave.parts import Where, states

Year = Literal[2007, 2008, 2009, 2010, 2011, 2012]

VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog", "horse",
    "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip


def _voc_facts(options: Mapping[str, Any]) -> SetFacts:
    return SetFacts("PASCAL VOC", (DETECTION,), objects=VOC_CLASSES if options["classes"] is None else options["classes"])


@states(facts=_voc_facts)
def voc(
    part: str,
    *,
    path: Folder,
    year: Year,
    train_split: str = "train",
    test_split: str = "val",
    classes: tuple[str, ...] | None = None,
    accept: Accept = (),
) -> BoxSet:
    """PASCAL VOC 2007 to 2012: ``path/VOC<year>/{JPEGImages,Annotations,ImageSets/Main}``; `path` is the folder VOCdevkit.

    Every XML is read when the data set is opened (about 2 s for the 11,540 of VOC2012). Boxes there count pixels from 1 and
    include the last one: xmin, ymin, xmax, ymax become xmin - 1, ymin - 1, xmax, ymax. Objects marked difficult are ignored
    boxes. The boxes of a person's parts (head, hand, foot) are not read.

    Args:
        part: "train", "test", or the name of another list, e.g. "trainval".
        path: The folder VOCdevkit.
        year: Of the challenge.
        train_split: The list that is the train part.
        test_split: The list that is the test part: "val", "test" ...
        classes: Those to keep, in this order, label 1 first; by default all 20. Images without any stay in.
        accept: Faults to count and warn of; the releases have none that we know of.
    """
    split = {"train": train_split, "test": test_split}.get(part, part)
    root = Path(path) / f"VOC{year}"
    require_folder(root, "JPEGImages/, Annotations/ and ImageSets/Main/")
    chosen = chosen_classes(classes, VOC_CLASSES, "VOC")
    listed = root / "ImageSets" / "Main" / f"{split}.txt"
    faults = Faults(accept)
    pictures = []
    for line in read_names(listed):
        key = line.split()[0]  # a class's own list has a flag behind the name
        pictures.append(_picture(root, key, chosen, faults))
    faults.warn()
    return BoxSet(pictures, labels=(DETECTION,), objects=chosen, where=str(listed))


def _picture(root: Path, key: str, chosen: Sequence[str], faults: Faults) -> Picture:
    image, annotation = root / "JPEGImages" / f"{key}.jpg", root / "Annotations" / f"{key}.xml"
    if not image.is_file():
        raise FileNotFoundError(f"{image} does not exist: a list in {root / 'ImageSets' / 'Main'} names it; restore it")
    size, objects = read_voc_annotation(annotation, chosen, faults=faults)
    return Picture(key, key, Field(image, read_picture), size, objects, str(annotation))


def read_voc_annotation(
    path: Path, chosen: Sequence[str], *, faults: Faults, known: Sequence[str] = VOC_CLASSES
) -> tuple[tuple[int, int], Objects]:
    """(H, W) and the objects of one XML file whose class is in `chosen`; others must be in `known`."""
    tree = _Annotation(path)
    size, found = tree.size(), Found()
    for number, element in enumerate(tree.root.findall("object"), start=1):
        where = f"{path}, object {number}"
        name = tree.text(element, "name", where)
        if name not in known:
            faults.unknown(name, known, where)
        box = faults.checked(tree.box(element, where), size, where)
        if name in chosen and box is not None:
            found.add(box, chosen.index(name) + 1, ignore=(element.findtext("difficult") or "0").strip() == "1")
    return size, found.packed()


@final
class _Annotation:
    """One XML file; what is missing in it is named."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.root = ElementTree.parse(path).getroot()
        except FileNotFoundError:
            raise FileNotFoundError(f"{path} does not exist: every listed image has an annotation; restore it") from None
        except ElementTree.ParseError as error:
            raise ValueError(f"{path} is not readable XML ({error}): write it again") from error

    def size(self) -> tuple[int, int]:
        element = self.root.find("size")
        if element is None:
            raise ValueError(f"{self.path} has no <size>: expected <size> with <width> and <height>; add it")
        height, width = (self.number(element, name, f"{self.path}, size") for name in ("height", "width"))
        if min(height, width) < 1:
            raise ValueError(f"{self.path} has a size of {width:g} x {height:g}: expected the image's width and height")
        return int(height), int(width)

    def box(self, element: ElementTree.Element, where: str) -> tuple[float, float, float, float]:
        box = element.find("bndbox")  # the object's own; those of <part> lie deeper
        if box is None:
            raise ValueError(f"{where} has no <bndbox>: expected xmin, ymin, xmax, ymax; write them, or delete the object")
        x1, y1, x2, y2 = (self.number(box, name, where) for name in ("xmin", "ymin", "xmax", "ymax"))
        return x1 - 1, y1 - 1, x2, y2

    def number(self, element: ElementTree.Element, name: str, where: str) -> float:
        """VOC2011 and later have a few boxes in fractions of a pixel."""
        return number_in(self.text(element, name, where), f"{where}: <{name}>")

    def text(self, element: ElementTree.Element, name: str, where: str) -> str:
        text = element.findtext(name)
        if text is None or not text.strip():
            raise ValueError(f"{where} has no <{name}>: add it")
        return text.strip()


_COUNT = 64
_FIELDS = 6 + _COUNT


def _apascal_facts(options: Mapping[str, Any]) -> SetFacts:
    numbered = tuple(f"attribute {number}" for number in range(1, _COUNT + 1))  # their names are in a file
    objects = VOC_CLASSES if options["classes"] is None else options["classes"]
    return SetFacts("aPascal", (DETECTION, ATTRIBUTES), objects=objects, attributes=numbered)


@states(facts=_apascal_facts)
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
    read_names(listed)  # names the lists that are there
    for number, line in enumerate(listed.read_text(encoding="utf-8").splitlines(), start=1):
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
            faults.unknown(name, sorted(known), where)
        x1, y1, x2, y2 = (number_in(value, f"{where}: a coordinate") for value in row[2:6])
        box = faults.checked((x1 - 1, y1 - 1, x2, y2), sizes[image], where)
        if name in chosen and box is not None:
            if wrong := [value for value in row[6:] if value not in ("0", "1")]:
                raise ValueError(f"{where}: attribute {wrong[0]!r}, expected 0 or 1")
            found[image].add(box, chosen.index(name) + 1, values=[float(value) for value in row[6:]])
    pictures = []
    for image, objects in found.items():
        key, field = Path(image).stem, Field(folder / image, read_picture)
        pictures.append(Picture(key, key, field, sizes[image], objects.packed(_COUNT), str(listed)))
    return pictures
