"""NYUv2 as the .npy tree that MTAN published and LibMTL, Auto-Lambda and others read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from taskweave.data.facts import DENSE, Folder, SetFacts
from taskweave.data.readers.files import ReadDepth, ReadLabels, read_normals, read_picture_npy
from taskweave.data.readers.fileset import FileSet, Read, require_folder
from taskweave.data.readers.indoor.nyuv2_classes import REACH, ClassCount, class_names, nyuv2_facts
from taskweave.data.readers.label_codes import counted_from_zero
from taskweave.data.readers.numbered import Numbered
from taskweave.parts import states


def _facts(options: Mapping[str, Any]) -> SetFacts:
    return nyuv2_facts(options)._replace(size=(288, 384))


@states(facts=_facts)
def nyuv2_mtan(part: str, *, path: Folder, classes: ClassCount = 13) -> FileSet:
    """The .npy tree of NYUv2 that MTAN published: ``path/{train,val}/{image,label,depth,normal}/{i}.npy`` (288 x 384).

    Images are float (H, W, 3) in [0, 1], labels count from 0 with -1 = none, depth is (H, W, 1) in metres with 0 = invalid,
    normals (H, W, 3) are unit vectors with zeros = invalid; any numeric type is read. The files are renumbered from 0, so
    where a scene ends is unknown: 20 neighbours count as one (`scenes_of_neighbours`). (Liu et al., MTAN.)

    Args:
        part: "train" or "val", which is also the "test".
        path: The folder that holds train/ and val/.
        classes: How many the files have: 13 as published, or 40.

    Raises:
        ValueError: Folders of the labels that are read hold other numbers of files than image/.
    """
    path = Path(path)
    require_folder(path, "train/ and val/ of MTAN's .npy files")
    folder = path / ("val" if part == "test" else part)
    require_folder(folder / "image", "{i}.npy images")
    names = class_names(classes)
    read_labels = ReadLabels(counted_from_zero(len(names), ignore=-1))
    tree = Numbered(folder, {"segmentation": "label", "depth": "depth", "normals": "normal"}, ".npy")
    readers: dict[str, Read] = {
        "image": read_picture_npy,
        "segmentation": read_labels,
        "depth": ReadDepth(reach=REACH),
        "normals": read_normals,
    }
    return tree.opened(readers, labels=DENSE, classes=names)
