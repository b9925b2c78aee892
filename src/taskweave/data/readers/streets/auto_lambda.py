"""Cityscapes as Auto-Lambda's script makes it from the release: numbered PNG files of 256 x 512."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.data.neighbours import scenes_of_neighbours
from taskweave.data.readers.files import ReadLabels, read_picture
from taskweave.data.readers.fileset import Field, FileSet, Item, require_files, require_folder, require_labels
from taskweave.data.readers.streets.cityscapes_classes import CITYSCAPES_CLASSES, CityscapesCount, label_code
from taskweave.data.readers.streets.cityscapes_depth import (
    CITYSCAPES_CAMERA,
    FARTHEST,
    DepthForm,
    ReadInverseDepth,
    ReadStereoDepth,
    StereoCamera,
    check_form,
    read_codes,
)
from taskweave.data.readers.streets.cityscapes_mtan import DENSE_LABELS
from taskweave.data.readers.streets.numbered import numbers_of

_IN_PIXELS = ReadInverseDepth(read_codes, offset=1, divisor=1024)
"""(p - 1) / 256 pixels of the 2,048 wide picture are a quarter as many of these, 512 wide."""


def open_auto_lambda(
    path: Path,
    *,
    split: str,
    classes: CityscapesCount = 19,
    labels: Sequence[str] = DENSE_LABELS,
    depth: DepthForm = "inverse",
    farthest: float | None = FARTHEST,
    camera: StereoCamera = CITYSCAPES_CAMERA,
) -> FileSet:
    """``path/{train,val}/{image,seg,depth}/{i}.png`` (Liu et al., Auto-Lambda; 2,975 and 500 images of 256 x 512).

    seg holds the release's labelIds, depth its uint16 disparities p. The parts of objects in ``part_seg`` are not read.
    The files are renumbered city by city, in an order that only the machine knows that made them: scenes are runs of 20.

    classes: 19, 7 or 2, as in `open_cityscapes`.
    depth: "inverse", (p - 1) / 1024, the disparity in pixels of these pictures, or "metres", by `camera`.
    farthest: metres beyond which there is no depth in "metres"; None for no limit.
    Raises ValueError where folders hold different numbers of files.

    **Deviations.** p = 1, infinitely far, is invalid here and 0 there; their -1 for what was not measured is 0 here.
    """
    path = Path(path)
    labels = require_labels(labels, DENSE_LABELS, "Auto-Lambda's Cityscapes")
    check_form(depth, farthest)
    folder = path / split
    require_folder(folder / "image", "{i}.png images")
    kinds = {"segmentation": "seg", "depth": "depth"}
    numbers = numbers_of(folder, ["image", *(kinds[label] for label in labels)], ".png")
    read_labels = ReadLabels(label_code("labelIds", classes))
    read_depth = _IN_PIXELS if depth == "inverse" else ReadStereoDepth(read_codes, camera, farthest)
    items = []
    for number, scene in zip(numbers, scenes_of_neighbours(numbers), strict=True):
        image = folder / "image" / f"{number}.png"
        fields = {
            "image": Field(image, read_picture),
            "segmentation": Field(folder / "seg" / image.name, read_labels),
            "depth": Field(folder / "depth" / image.name, read_depth),
        }
        items.append(Item(str(number), scene, fields, str(image)))
    require_files(items, labels)
    return FileSet(items, labels=labels, classes=CITYSCAPES_CLASSES[classes], where=str(folder / "image"))
