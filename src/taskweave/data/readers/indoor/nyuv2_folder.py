"""NYUv2 as one folder of pictures: rgb, depth in millimetres, labels of 40 and of 13 classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.data.derived_normals import DerivedNormals
from taskweave.data.neighbours import scenes_of_neighbours
from taskweave.data.readers.files import ReadDepth, ReadLabels, read_picture
from taskweave.data.readers.fileset import (
    LABELS,
    Field,
    FileSet,
    Item,
    read_names,
    require_files,
    require_folder,
    require_labels,
)
from taskweave.data.readers.indoor.nyuv2_classes import REACH, ClassCount, class_names
from taskweave.data.readers.label_codes import counted_from_one

_MILLIMETRES = ReadDepth(unit=0.001, reach=REACH)


def open_nyuv2_folder(path: Path, *, split: str, classes: ClassCount = 40, labels: Sequence[str] = LABELS) -> FileSet:
    """``path/{rgb,depth,label40,label13}/NNNN.{jpg,png}`` with the names of a split in ``gt_sets/<split>.txt``.

    NNNN is the official index of the picture, from 1. Depth is uint16 millimetres, labels count from 1 with 0 = void.
    Normals are derived from depth when first read and cached outside the repository (`DerivedNormals`). Scenes are runs
    of neighbouring indices (`scenes_of_neighbours`). A depth file that does not reach as far as NYUv2's do (`REACH`), such
    as one of disparities, is refused when it is read.
    """
    path = Path(path)
    labels = require_labels(labels, LABELS, "the NYUv2 folder")
    require_folder(path, f"rgb/, depth/, label{classes}/ and gt_sets/")
    names = class_names(classes)
    listed = path / "gt_sets" / f"{split}.txt"
    keys = read_names(listed)
    read_labels = ReadLabels(counted_from_one(len(names)))
    items = [
        Item(key, scene, _fields(path, key, classes, read_labels), f"{listed}, name {number}")
        for number, (key, scene) in enumerate(zip(keys, _scenes(keys, listed), strict=True), start=1)
    ]
    require_files(items, labels)
    return FileSet(items, labels=labels, classes=names, where=str(listed))


def _fields(path: Path, key: str, classes: ClassCount, read_labels: ReadLabels) -> dict[str, Field]:
    depth = path / "depth" / f"{key}.png"
    return {
        "image": Field(path / "rgb" / f"{key}.jpg", read_picture),
        "segmentation": Field(path / f"label{classes}" / f"{key}.png", read_labels),
        "depth": Field(depth, _MILLIMETRES),
        "normals": Field(depth, DerivedNormals(_MILLIMETRES)),
    }


def _scenes(keys: Sequence[str], listed: Path) -> tuple[str, ...]:
    wrong = [key for key in keys if not key.isdecimal()]
    if wrong:
        raise ValueError(f"{listed} names {wrong[0]!r}: expected official indices such as 0046, one a line")
    return scenes_of_neighbours([int(key) for key in keys])
