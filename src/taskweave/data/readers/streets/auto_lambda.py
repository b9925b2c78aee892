"""Cityscapes as Auto-Lambda's script makes it from the release: numbered PNG files of 256 x 512."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from taskweave.data.facts import Folder, SetFacts
from taskweave.data.readers.files import ReadLabels, read_picture
from taskweave.data.readers.fileset import FileSet, Read, require_folder
from taskweave.data.readers.numbered import Numbered
from taskweave.data.readers.streets.cityscapes_labels import (
    CITYSCAPES_CAMERA,
    CITYSCAPES_CLASSES,
    FARTHEST,
    CityscapesCount,
    DepthForm,
    Farthest,
    Positive,
    ReadInverseDepth,
    ReadStereoDepth,
    StereoCamera,
    check_form,
    label_code,
    read_codes,
)
from taskweave.data.readers.streets.cityscapes_mtan import MTAN_LABELS, FileSize, mtan_facts
from taskweave.parts import states

_IN_PIXELS = ReadInverseDepth(read_codes, offset=1, divisor=1024)
"""(p - 1) / 256 pixels of the 2,048 wide picture are a quarter as many of these, 512 wide."""


def _facts(options: Mapping[str, Any]) -> SetFacts:
    return mtan_facts(options)._replace(classes=CITYSCAPES_CLASSES[options["classes"]])


@states(facts=_facts)
def auto_lambda(
    part: str,
    *,
    path: Folder,
    classes: CityscapesCount = 19,
    depth: DepthForm = "inverse",
    farthest: Farthest = FARTHEST,
    baseline: Positive = CITYSCAPES_CAMERA.baseline,
    focal: Positive = CITYSCAPES_CAMERA.focal,
    size_of_files: FileSize = (256, 512),
) -> FileSet:
    """Auto-Lambda's tree of Cityscapes: ``path/{train,val}/{image,seg,depth}/{i}.png`` (2,975 and 500 of 256 x 512).

    seg holds the release's labelIds, depth its uint16 disparities p. The parts of objects in ``part_seg`` are not read.
    The files are renumbered city by city, in an order that only the machine knows that made them: scenes are runs of 20.

    **Deviations.** p = 1, infinitely far, is invalid here and 0 there; their -1 for what was not measured is 0 here.

    Args:
        part: "train" or "val", which is also the "test".
        path: The folder that holds train/ and val/.
        classes: 19, 7 or 2, as in `cityscapes`.
        depth: "inverse", (p - 1) / 1024, the disparity in pixels of these pictures, or "metres", by `baseline` and `focal`.
        farthest: Metres beyond which there is no depth in "metres"; None for no limit.
        baseline: Metres between the two lenses of the camera.
        focal: Its focal length in pixels of the 2,048 wide picture.
        size_of_files: (height, width) of the files, for the cost of a picture.

    Raises:
        ValueError: Folders hold different numbers of files.
    """
    check_form(depth, farthest)
    folder = Path(path) / ("val" if part == "test" else part)
    require_folder(folder / "image", "{i}.png images")
    camera = StereoCamera(baseline, focal)
    readers: dict[str, Read] = {
        "image": read_picture,
        "segmentation": ReadLabels(label_code("labelIds", classes)),
        "depth": _IN_PIXELS if depth == "inverse" else ReadStereoDepth(read_codes, camera, farthest),
    }
    tree = Numbered(folder, {"segmentation": "seg", "depth": "depth"}, ".png")
    return tree.opened(readers, labels=MTAN_LABELS, classes=CITYSCAPES_CLASSES[classes])
