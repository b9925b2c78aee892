"""Cityscapes as others publish it again, smaller and renumbered: MTAN's .npy tree and Auto-Lambda's PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from taskweave.data.facts import Folder, SetFacts
from taskweave.data.readers.files import ReadLabels, counted_from_zero, require_folder
from taskweave.data.readers.fileset import FileSet, Item, Numbered
from taskweave.data.readers.streets.cityscapes import (
    CITYSCAPES_CAMERA,
    CITYSCAPES_CLASSES,
    FARTHEST,
    CityscapesCount,
    DepthForm,
    Farthest,
    Positive,
    ReadInverseDepth,
    StereoCamera,
    depth_reader,
    far,
    label_code,
    read_codes,
    read_shares,
)
from taskweave.parts import states

MTAN_LABELS = ("segmentation", "depth")
MTAN_CLASSES: Mapping[CityscapesCount, tuple[str, ...]] = MappingProxyType(
    {19: CITYSCAPES_CLASSES[19], 7: CITYSCAPES_CLASSES[7], 2: ("background", "foreground")}
)
"""Of its label_19, label_7 and label_2, as its paper's table 1 groups them: foreground is humans and vehicles."""


FileSize = tuple[int, int]
"""(height, width) of the files, for the cost of a picture; no file is read by it."""


def mtan_facts(options: Mapping[str, Any]) -> SetFacts:
    """What copies of Cityscapes with MTAN's class sets state."""
    names = MTAN_CLASSES[options["classes"]]
    return SetFacts("Cityscapes", MTAN_LABELS, names, size=options["size_of_files"], far=far(options))


@states(facts=mtan_facts)
def cityscapes_mtan(
    part: str,
    *,
    path: Folder,
    classes: CityscapesCount = 7,
    depth: DepthForm = "inverse",
    farthest: Farthest = FARTHEST,
    baseline: Positive = CITYSCAPES_CAMERA.baseline,
    focal: Positive = CITYSCAPES_CAMERA.focal,
    size_of_files: FileSize = (256, 512),
) -> FileSet:
    """MTAN's tree of Cityscapes: ``path/{train,val}/{image,depth,label_19,label_7,label_2}/{i}.npy`` (2,975 and 500).

    Images are float (H, W, 3) in [0, 1]; labels count from 0 with -1 = none; depth, (H, W, 1), is the release's disparity
    p / 65535 (our reading of its largest value, .4922), so it is inverse depth: far pixels are small, 0 is invalid. Tiny
    values (sky) make relative errors of tens or hundreds. Any numeric type is read. Scenes are runs of 20 neighbours.

    Args:
        part: "train" or "val", which is also the "test".
        path: The folder that holds train/ and val/.
        classes: 19, 7 or 2 (humans and vehicles against the rest); the 7 are also found in a folder called ``label``, as in
            a re-packed archive.
        depth: "inverse", the numbers as they are stored, or "metres", by `baseline` and `focal`: the tree has no camera
            files.
        farthest: Metres beyond which there is no depth in "metres"; None for no limit.
        baseline: Metres between the two lenses of the camera.
        focal: Its focal length in pixels of the 2,048 wide picture.
        size_of_files: (height, width) of the files, for the cost of a picture.
    """
    if classes not in MTAN_CLASSES:
        raise ValueError(f"MTAN's Cityscapes has no set of {classes} classes: expected one of {list(MTAN_CLASSES)}")
    folder = Path(path) / ("val" if part == "test" else part)
    require_folder(folder / "image", "{i}.npy images")
    candidates = [f"label_{classes}", *(["label"] if classes == 7 else [])]
    labelled = next((name for name in candidates if (folder / name).is_dir()), candidates[0])
    tree = Numbered(folder, {"segmentation": labelled, "depth": "depth"}, ".npy")
    read_labels = ReadLabels(counted_from_zero(classes, ignore=-1))
    read_depth = depth_reader(depth, read_shares, StereoCamera(baseline, focal), farthest=farthest)
    return tree.opened([read_labels, read_depth], MTAN_CLASSES[classes], complete=partial(_complete, tree))


def _complete(tree: Numbered, items: Sequence[Item], labels: Sequence[str]) -> Sequence[Item]:
    labelled = tree.folder / tree.kinds["segmentation"]
    if "segmentation" in labels and not labelled.is_dir():
        there = sorted(found.name for found in tree.folder.glob("label*") if found.is_dir())
        raise FileNotFoundError(
            f"{labelled} does not exist: expected the labels of {labelled.name.removeprefix('label_')} classes; "
            f"{tree.folder} has {there}; give the number of classes of one of these"
        )
    return tree(items, labels)


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
    """
    camera = StereoCamera(baseline, focal)
    read_depth = depth_reader(depth, read_codes, camera, farthest=farthest, inverse=_IN_PIXELS)
    folder = Path(path) / ("val" if part == "test" else part)
    require_folder(folder / "image", "{i}.png images")
    tree = Numbered(folder, {"segmentation": "seg", "depth": "depth"}, ".png")
    return tree.opened([ReadLabels(label_code("labelIds", classes)), read_depth], CITYSCAPES_CLASSES[classes])
