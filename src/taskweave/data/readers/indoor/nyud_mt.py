"""NYUD_MT: NYUv2 as Vandenhende et al. (and InvPT, ATRC) publish it for several tasks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.data.neighbours import scenes_of_neighbours
from taskweave.data.readers.files import ReadDepth, ReadLabels, read_normals, read_picture
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
from taskweave.data.readers.indoor.nyuv2_classes import REACH, ClassCount, class_names, from_forty
from taskweave.data.readers.label_codes import counted_from_one


def open_nyud_mt(path: Path, *, split: str, classes: ClassCount = 40, labels: Sequence[str] = LABELS) -> FileSet:
    """``path/{images/*.jpg, segmentation/*.png, depth/*.npy, normals/*.npy}``, names in ``gt_sets/<split>.txt``.

    Pictures are 480 x 640. Labels count from 1 with 0 = none; depth is in metres with 0 = invalid; normals are .npy in
    [-1, 1] with zeros = invalid, or, in the other published archive, PNG of (n + 1) * 127.5: whichever lies there is read.
    Edges are not read. Scenes are runs of neighbouring names (`scenes_of_neighbours`).
    """
    path = Path(path)
    labels = require_labels(labels, LABELS, "NYUD_MT")
    require_folder(path, "images/, segmentation/, depth/, normals/ and gt_sets/")
    names = class_names(classes)
    listed = path / "gt_sets" / f"{split}.txt"
    keys = read_names(listed)
    read_labels = ReadLabels(from_forty(counted_from_one(40), classes))
    numbers = [int(key) if key.isdecimal() else row for row, key in enumerate(keys)]
    items = [
        Item(key, scene, _fields(path, key, read_labels), f"{listed}, name {number}")
        for number, (key, scene) in enumerate(zip(keys, scenes_of_neighbours(numbers), strict=True), start=1)
    ]
    require_files(items, labels)
    return FileSet(items, labels=labels, classes=names, where=str(listed))


def _fields(path: Path, key: str, read_labels: ReadLabels) -> dict[str, Field]:
    picture = path / "normals" / f"{key}.png"
    normals = picture if picture.is_file() else picture.with_suffix(".npy")
    return {
        "image": Field(path / "images" / f"{key}.jpg", read_picture),
        "segmentation": Field(path / "segmentation" / f"{key}.png", read_labels),
        "depth": Field(path / "depth" / f"{key}.npy", ReadDepth(reach=REACH)),
        "normals": Field(normals, read_normals),
    }
