"""PASCAL VOC 2007 to 2012: boxes of 20 classes in XML files."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, final

from taskweave.data.facts import DETECTION, Folder, SetFacts
from taskweave.data.readers.boxes.boxes_set import BoxSet, Found, Objects, Picture, chosen_classes, label_of
from taskweave.data.readers.faults import Accept, Faults
from taskweave.data.readers.files import read_picture
from taskweave.data.readers.fileset import Field, read_names, require_folder
from taskweave.parts import states

Year = Literal[2007, 2008, 2009, 2010, 2011, 2012]

VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog", "horse",
    "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip


def _facts(options: Mapping[str, Any]) -> SetFacts:
    return SetFacts("PASCAL VOC", (DETECTION,), objects=VOC_CLASSES if options["classes"] is None else options["classes"])


@states(facts=_facts)
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
            faults.note("unknown class", f"{where}: unknown class {name!r}; expected one of {list(known)}")
        box = faults.checked(tree.box(element, where), size, where)
        if name in chosen and box is not None:
            found.add(box, label_of(name, chosen, where), ignore=(element.findtext("difficult") or "0").strip() == "1")
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
        text = self.text(element, name, where)
        try:
            return float(text)
        except ValueError:
            raise ValueError(f"{where}: <{name}> is {text!r}, expected a number") from None

    def text(self, element: ElementTree.Element, name: str, where: str) -> str:
        text = element.findtext(name)
        if text is None or not text.strip():
            raise ValueError(f"{where} has no <{name}>: add it")
        return text.strip()
