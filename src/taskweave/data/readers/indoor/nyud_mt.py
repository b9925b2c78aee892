"""NYUD_MT: NYUv2 as Vandenhende et al. (and InvPT, ATRC) publish it for several tasks."""

from __future__ import annotations

from pathlib import Path

from taskweave.data.facts import DENSE, Folder
from taskweave.data.readers.files import ReadDepth, ReadLabels, read_normals, read_picture
from taskweave.data.readers.fileset import Field, FileSet, Item, read_names, require_folder, with_images
from taskweave.data.readers.indoor.nyuv2_classes import REACH, ClassCount, class_names, from_forty, nyuv2_facts
from taskweave.data.readers.label_codes import counted_from_one
from taskweave.data.readers.numbered import scenes_of_neighbours
from taskweave.parts import states


@states(facts=nyuv2_facts)
def nyud_mt(part: str, *, path: Folder, classes: ClassCount = 40) -> FileSet:
    """The NYUD_MT archive: ``path/{images/*.jpg, segmentation/*.png, depth/*.npy, normals/*.npy}`` and ``gt_sets/``.

    Pictures are 480 x 640. Labels count from 1 with 0 = none; depth is in metres with 0 = invalid; normals are .npy in
    [-1, 1] with zeros = invalid, or, in the other published archive, PNG of (n + 1) * 127.5: whichever lies there is read.
    Edges are not read. Scenes are runs of neighbouring names (`scenes_of_neighbours`).

    Args:
        part: The list to read, ``gt_sets/<part>.txt``; "test" is the list "val".
        path: The folder that the archive was unpacked to.
        classes: The 40 classes, or the 13 that they are grouped into.
    """
    path = Path(path)
    require_folder(path, "images/, segmentation/, depth/, normals/ and gt_sets/")
    names = class_names(classes)
    listed = path / "gt_sets" / f"{'val' if part == 'test' else part}.txt"
    keys = read_names(listed)
    read_labels = ReadLabels(from_forty(counted_from_one(40), classes))
    numbers = [int(key) if key.isdecimal() else row for row, key in enumerate(keys)]
    items = [
        Item(key, scene, _fields(path, key, read_labels), f"{listed}, name {number}")
        for number, (key, scene) in enumerate(zip(keys, scenes_of_neighbours(numbers), strict=True), start=1)
    ]
    return FileSet(with_images(items), labels=DENSE, classes=names, where=str(listed))


def _fields(path: Path, key: str, read_labels: ReadLabels) -> dict[str, Field]:
    picture = path / "normals" / f"{key}.png"
    normals = picture if picture.is_file() else picture.with_suffix(".npy")
    return {
        "image": Field(path / "images" / f"{key}.jpg", read_picture),
        "segmentation": Field(path / "segmentation" / f"{key}.png", read_labels),
        "depth": Field(path / "depth" / f"{key}.npy", ReadDepth(reach=REACH)),
        "normals": Field(normals, read_normals),
    }
