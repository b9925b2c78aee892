"""Cityscapes as the .npy tree that MTAN published (256 x 512 and 128 x 256), which many multi-task papers read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from taskweave.data.neighbours import scenes_of_neighbours
from taskweave.data.readers.files import ReadLabels, read_picture_npy
from taskweave.data.readers.fileset import Field, FileSet, Item, require_files, require_folder, require_labels
from taskweave.data.readers.label_codes import counted_from_zero
from taskweave.data.readers.streets.cityscapes_classes import CITYSCAPES_CLASSES, CityscapesCount
from taskweave.data.readers.streets.cityscapes_depth import (
    CITYSCAPES_CAMERA,
    FARTHEST,
    DepthForm,
    StereoCamera,
    depth_reader,
    read_shares,
)
from taskweave.data.readers.streets.numbered import numbers_of

DENSE_LABELS = ("segmentation", "depth")
MTAN_CLASSES: Mapping[CityscapesCount, tuple[str, ...]] = MappingProxyType(
    {19: CITYSCAPES_CLASSES[19], 7: CITYSCAPES_CLASSES[7], 2: ("background", "foreground")}
)
"""Of its label_19, label_7 and label_2, as its paper's table 1 groups them: foreground is humans and vehicles."""


def open_cityscapes_mtan(
    path: Path,
    *,
    split: str,
    classes: CityscapesCount = 7,
    labels: Sequence[str] = DENSE_LABELS,
    depth: DepthForm = "inverse",
    farthest: float | None = FARTHEST,
    camera: StereoCamera = CITYSCAPES_CAMERA,
) -> FileSet:
    """``path/{train,val}/{image,depth,label_19,label_7,label_2}/{i}.npy`` (Liu et al., MTAN; 2,975 and 500 images).

    Images are float (H, W, 3) in [0, 1]; labels count from 0 with -1 = none; depth, (H, W, 1), is the release's disparity
    p / 65535 (our reading of its largest value, .4922), so it is inverse depth: far pixels are small, 0 is invalid. Tiny
    values (sky) make relative errors of tens or hundreds. Any numeric type is read. Scenes are runs of 20 neighbours.

    classes: 19, 7 or 2 (`MTAN_CLASSES`); the 7 are also found in a folder called ``label``, as in a re-packed archive.
    depth: "inverse", the numbers as they are stored, or "metres", by `camera`, since the tree has no camera files.
    farthest: metres beyond which there is no depth in "metres"; None for no limit.
    Raises ValueError where folders hold different numbers of files.
    """
    path = Path(path)
    labels = require_labels(labels, DENSE_LABELS, "MTAN's Cityscapes")
    if classes not in MTAN_CLASSES:
        raise ValueError(f"MTAN's Cityscapes has no set of {classes} classes: expected one of {list(MTAN_CLASSES)}")
    folder = path / split
    require_folder(folder / "image", "{i}.npy images")
    labelled = _label_folder(folder, classes) if "segmentation" in labels else ""
    kinds = {"segmentation": labelled, "depth": "depth"}
    numbers = numbers_of(folder, ["image", *(kinds[label] for label in labels)], ".npy")
    read_labels = ReadLabels(counted_from_zero(classes, ignore=-1))
    read_depth = depth_reader(depth, read_shares, camera, farthest=farthest)
    items = []
    for number, scene in zip(numbers, scenes_of_neighbours(numbers), strict=True):
        image = folder / "image" / f"{number}.npy"
        fields = {
            "image": Field(image, read_picture_npy),
            "segmentation": Field(folder / labelled / image.name, read_labels),
            "depth": Field(folder / "depth" / image.name, read_depth),
        }
        items.append(Item(str(number), scene, fields, str(image)))
    require_files(items, labels)
    return FileSet(items, labels=labels, classes=MTAN_CLASSES[classes], where=str(folder / "image"))


def _label_folder(folder: Path, classes: CityscapesCount) -> str:
    candidates = [f"label_{classes}", *(["label"] if classes == 7 else [])]
    for name in candidates:
        if (folder / name).is_dir():
            return name
    there = sorted(found.name for found in folder.glob("label*") if found.is_dir())
    raise FileNotFoundError(
        f"{folder / candidates[0]} does not exist: expected the labels of {classes} classes; {folder} has {there}; give "
        "the number of classes of one of these"
    )
