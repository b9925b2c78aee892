"""NYUv2 and Cityscapes as AdaShare publishes them: a json file that lists each sample's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from taskweave.data.facts import DENSE, Folder
from taskweave.data.readers.files import (
    ReadDepth,
    ReadLabels,
    counted_from_zero,
    read_json,
    read_normals,
    read_picture,
    read_picture_npy,
    require_folder,
)
from taskweave.data.readers.fileset import Field, FileSet, Item, Read, scenes_of_names, with_files
from taskweave.data.readers.indoor.nyuv2 import REACH, ClassCount, class_names, from_forty, nyuv2_facts
from taskweave.data.readers.streets.cityscapes import (
    CITYSCAPES_CAMERA,
    FARTHEST,
    CityscapesCount,
    DepthForm,
    Farthest,
    Positive,
    StereoCamera,
    depth_reader,
    read_shares,
)
from taskweave.data.readers.streets.cityscapes_copies import MTAN_CLASSES, MTAN_LABELS, FileSize, mtan_facts
from taskweave.parts import states

NYUV2_LIST, CITYSCAPES_LIST = "nyu_v2_3task.json", "cityscape.json"
_NYUV2_ROW = ("image", "segmentation", "normals", "depth")
_CITYSCAPES_ROW = ("image", "depth", "label_2", "label_7", "label_19")
_SHALLOWEST = 3e-5

Readers = Mapping[str, Read]


@states(facts=nyuv2_facts)
def adashare_nyuv2(part: str, *, path: Folder, classes: ClassCount = 40) -> FileSet:
    """AdaShare's ``path/nyu_v2_3task.json``: {part: [[image, segmentation, normals, depth], ...]}, paths from `path`.

    Images are PNG of 480 x 640; segmentation PNG, 0..39 with 255 = none; normals PNG, (n + 1) * 127.5; depth .npy in
    metres, in-painted; up to 3e-5 it is invalid. Scenes are runs of neighbouring numbers (`scenes_of_neighbours`).

    **Deviations.** AdaShare's code reads these pictures with OpenCV, so that its normals are (z, y, x), and takes the bytes
    for vectors; here they are true unit vectors (x, y, z). (Sun et al.)

    Args:
        part: "train" or "test"; the archive also has "train1" and "train2", parts of train.
        path: The folder that the archive was unpacked to.
        classes: The 40 classes, or the 13 that they are grouped into.
    """
    readers: Readers = {
        "image": read_picture,
        "segmentation": ReadLabels(from_forty(counted_from_zero(40, ignore=255), classes)),
        "normals": read_normals,
        "depth": ReadDepth(shallowest=_SHALLOWEST, reach=REACH),
    }
    listed = Path(path) / NYUV2_LIST
    return _opened(listed, part, _NYUV2_ROW, readers, labels=DENSE, classes=class_names(classes))


@states(facts=mtan_facts)
def adashare_cityscapes(
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
    """AdaShare's ``path/cityscape.json``: {part: [[image, depth, label_2, label_7, label_19], ...]}, .npy files as MTAN's.

    Args:
        part: "train" or "test".
        path: The folder that the archive was unpacked to.
        classes: 19, 7 or 2.
        depth, farthest, baseline, focal, size_of_files: As in `cityscapes_mtan`.
    """
    if classes not in MTAN_CLASSES:
        raise ValueError(f"AdaShare's Cityscapes has no set of {classes} classes: expected one of {list(MTAN_CLASSES)}")
    camera = StereoCamera(baseline, focal)
    readers: Readers = {
        "image": read_picture_npy,
        "segmentation": ReadLabels(counted_from_zero(classes, ignore=-1)),
        "depth": depth_reader(depth, read_shares, camera, farthest=farthest),
    }
    row = ["segmentation" if name == f"label_{classes}" else name for name in _CITYSCAPES_ROW]
    listed = Path(path) / CITYSCAPES_LIST
    return _opened(listed, part, row, readers, labels=MTAN_LABELS, classes=MTAN_CLASSES[classes])


def _opened(
    listed: Path, split: str, row: Sequence[str], readers: Readers, *, labels: Sequence[str], classes: Sequence[str]
) -> FileSet:
    require_folder(listed.parent, listed.name)
    rows = _rows(listed, split, row)
    scenes = scenes_of_names([Path(files[0]).stem for files in rows])
    items = []
    for place, (files, scene) in enumerate(zip(rows, scenes, strict=True)):
        fields = {
            name: Field(listed.parent / file, readers[name])
            for name, file in zip(row, files, strict=True)
            if name in readers
        }
        items.append(Item(files[row.index("image")], scene, fields, f"{listed}, {split}[{place}]"))
    return FileSet(with_files(items), labels=labels, classes=classes, where=f"{listed}, {split}")


def _rows(listed: Path, split: str, row: Sequence[str]) -> list[list[str]]:
    """The checked rows of a split."""
    content = read_lists(listed)
    if split not in content:
        raise ValueError(f"{listed} has no split {split!r}; it has {list(content)}")
    for place, files in enumerate(content[split]):
        if not isinstance(files, list) or len(files) != len(row) or not all(isinstance(file, str) for file in files):
            raise ValueError(f"{listed}, {split}[{place}] is {files!r}: expected {len(row)} paths, {', '.join(row)}")
    return content[split]


def read_lists(listed: Path) -> dict[str, list[Any]]:
    """{split: rows} of a json file; ValueError for anything else in it."""
    holds = "{split: [[path, ...], ...]}; this is no list of AdaShare's"
    content = read_json(listed, missing="give the folder that AdaShare's archive was unpacked to", holds=holds)
    if not all(isinstance(rows, list) for rows in content.values()):
        raise ValueError(f"{listed} holds other values: expected {holds}")
    return content
