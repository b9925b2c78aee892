"""NYUv2 as one folder of pictures: rgb, depth in millimetres, labels of 40 and of 13 classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from taskweave.data.facts import DENSE, Folder, SetFacts
from taskweave.data.normals import DerivedNormals
from taskweave.data.readers.files import ReadDepth, ReadLabels, read_picture
from taskweave.data.readers.fileset import Field, FileSet, Item, read_names, require_folder, with_images
from taskweave.data.readers.indoor.nyuv2_classes import REACH, ClassCount, class_names, with_derived_normals
from taskweave.data.readers.label_codes import counted_from_one
from taskweave.data.readers.numbered import scenes_of_neighbours
from taskweave.parts import states

_MILLIMETRES = ReadDepth(unit=0.001, reach=REACH)


def _facts(options: Mapping[str, Any]) -> SetFacts:
    return with_derived_normals(options)._replace(computed={"normals": "depth"})


@states(facts=_facts)
def nyuv2_folder(part: str, *, path: Folder, classes: ClassCount = 40) -> FileSet:
    """NYUv2 as one folder: ``path/{rgb,depth,label40,label13}/NNNN.{jpg,png}``, the names of a part in ``gt_sets/``.

    NNNN is the official index of the picture, from 1. Depth is uint16 millimetres, labels count from 1 with 0 = void.
    Normals are derived from depth when first read and cached outside the repository (`DerivedNormals`). Scenes are runs
    of neighbouring indices (`scenes_of_neighbours`). A depth file that does not reach as far as NYUv2's do (`REACH`), such
    as one of disparities, is refused when it is read.

    Args:
        part: The list to read, ``gt_sets/<part>.txt``; "test" is the list "val".
        path: The folder.
        classes: The 40 classes, or the 13 that they are grouped into.
    """
    path = Path(path)
    require_folder(path, f"rgb/, depth/, label{classes}/ and gt_sets/")
    names = class_names(classes)
    listed = path / "gt_sets" / f"{'val' if part == 'test' else part}.txt"
    keys = read_names(listed)
    read_labels = ReadLabels(counted_from_one(len(names)))
    items = [
        Item(key, scene, _fields(path, key, classes, read_labels), f"{listed}, name {number}")
        for number, (key, scene) in enumerate(zip(keys, _scenes(keys, listed), strict=True), start=1)
    ]
    return FileSet(with_images(items), labels=DENSE, classes=names, where=str(listed))


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
