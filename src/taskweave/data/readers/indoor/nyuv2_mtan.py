"""NYUv2 as the .npy tree that MTAN published and LibMTL, Auto-Lambda and others read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.data.neighbours import scenes_of_neighbours
from taskweave.data.readers.files import ReadDepth, ReadLabels, read_normals, read_picture_npy
from taskweave.data.readers.fileset import LABELS, Field, FileSet, Item, require_files, require_folder, require_labels
from taskweave.data.readers.indoor.nyuv2_classes import REACH, ClassCount, class_names
from taskweave.data.readers.label_codes import counted_from_zero
from taskweave.data.readers.streets.numbered import numbers_of

_FOLDERS = {"segmentation": "label", "depth": "depth", "normals": "normal"}


def open_nyuv2_mtan(path: Path, *, split: str, classes: ClassCount = 13, labels: Sequence[str] = LABELS) -> FileSet:
    """``path/{train,val}/{image,label,depth,normal}/{i}.npy`` (Liu et al., MTAN; 288 x 384).

    Images are float (H, W, 3) in [0, 1], labels count from 0 with -1 = none, depth is (H, W, 1) in metres with 0 = invalid,
    normals (H, W, 3) are unit vectors with zeros = invalid; any numeric type is read. The files are renumbered from 0, so
    where a scene ends is unknown: 20 neighbours count as one (`scenes_of_neighbours`). Raises ValueError where the folders
    of the wanted labels hold other numbers of files than image/.
    """
    path = Path(path)
    labels = require_labels(labels, LABELS, "the MTAN tree")
    require_folder(path, "train/ and val/ of MTAN's .npy files")
    folder = path / split
    require_folder(folder / "image", "{i}.npy images")
    names = class_names(classes)
    numbers = numbers_of(folder, ["image", *(_FOLDERS[label] for label in labels)], ".npy")
    read_labels = ReadLabels(counted_from_zero(len(names), ignore=-1))
    items = [
        Item(str(number), scene, _fields(folder, f"{number}.npy", read_labels), str(folder / "image" / f"{number}.npy"))
        for number, scene in zip(numbers, scenes_of_neighbours(numbers), strict=True)
    ]
    require_files(items, labels)
    return FileSet(items, labels=labels, classes=names, where=str(folder / "image"))


def _fields(folder: Path, file: str, read_labels: ReadLabels) -> dict[str, Field]:
    return {
        "image": Field(folder / "image" / file, read_picture_npy),
        "segmentation": Field(folder / "label" / file, read_labels),
        "depth": Field(folder / "depth" / file, ReadDepth(reach=REACH)),
        "normals": Field(folder / "normal" / file, read_normals),
    }
