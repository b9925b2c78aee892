"""NYUv2 in the forms in which others publish it again, and its class sets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, final

from taskweave.data import normals
from taskweave.data.facts import DENSE, Folder, SetFacts
from taskweave.data.normals import DerivedNormals
from taskweave.data.readers.files import (
    LabelCode,
    ReadDepth,
    ReadLabels,
    counted_from_one,
    counted_from_zero,
    read_names,
    read_normals,
    read_picture,
    regrouped,
    require_folder,
)
from taskweave.data.readers.fileset import Field, FileSet, Item, Numbered, scenes_of_names, with_files
from taskweave.parts import Where, states

ClassCount = Literal[13, 40]

REACH = (0.5, 20.0)
"""Metres between which the farthest pixel of a NYUv2 picture lies: its camera measured from .5 m, and up to 10."""

FORTY = (
    "wall", "floor", "cabinet", "bed", "chair", "sofa", "table", "door", "window", "bookshelf",
    "picture", "counter", "blinds", "desk", "shelves", "curtain", "dresser", "pillow", "mirror", "floor mat",
    "clothes", "ceiling", "books", "refrigerator", "television", "paper", "towel", "shower curtain", "box", "whiteboard",
    "person", "night stand", "toilet", "sink", "lamp", "bathtub", "bag", "other structure", "other furniture", "other prop",
)  # fmt: skip
THIRTEEN = (
    "bed", "books", "ceiling", "chair", "floor", "furniture", "objects",
    "painting", "sofa", "table", "tv", "wall", "window",
)  # fmt: skip

FORTY_TO_THIRTEEN = (
    11, 4, 5, 0, 3, 8, 9, 11, 12, 5,
    7, 5, 12, 9, 5, 12, 5, 6, 6, 4,
    6, 2, 1, 5, 10, 6, 6, 6, 6, 6,
    6, 5, 6, 6, 6, 6, 6, 6, 5, 6,
)  # fmt: skip
"""Class id of the 13 (from 0) for each class id of the 40 (from 0)."""


def class_names(classes: ClassCount) -> tuple[str, ...]:
    """The names in the order of the ids, which count from 0."""
    if classes not in (13, 40):
        raise ValueError(f"NYUv2 is labelled with 13 or 40 classes, got classes={classes}")
    return FORTY if classes == 40 else THIRTEEN


def from_forty(code: LabelCode, classes: ClassCount) -> LabelCode:
    """A code of the 40 classes as one of `classes` classes."""
    return code if len(class_names(classes)) == 40 else regrouped(code, FORTY_TO_THIRTEEN)


def nyuv2_facts(options: Mapping[str, Any]) -> SetFacts:
    """What every form of NYUv2 states."""
    return SetFacts("NYUv2", DENSE, class_names(options["classes"]))


def with_derived_normals(options: Mapping[str, Any]) -> SetFacts:
    """What a layout of NYUv2 states in which normals are not stored, but computed from depth."""
    return nyuv2_facts(options)._replace(made_by={"normals": normals.METHOD})


def _folder_facts(options: Mapping[str, Any]) -> SetFacts:
    return with_derived_normals(options)._replace(computed={"normals": "depth"})


@states(facts=_folder_facts)
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
    path, depth = Path(path), ReadDepth(unit=0.001, reach=REACH)
    require_folder(path, f"rgb/, depth/, label{classes}/ and gt_sets/")
    read_labels = ReadLabels(counted_from_one(len(class_names(classes))))
    listed = _gt_set(path, part)
    keys = read_names(listed)
    if wrong := [key for key in keys if not key.isdecimal()]:
        raise ValueError(f"{listed} names {wrong[0]!r}: expected official indices such as 0046, one a line")
    fields = [
        {
            "image": Field(path / "rgb" / f"{key}.jpg", read_picture),
            "segmentation": Field(path / f"label{classes}" / f"{key}.png", read_labels),
            "depth": Field(path / "depth" / f"{key}.png", depth),
            "normals": Field(path / "depth" / f"{key}.png", DerivedNormals(depth)),
        }
        for key in keys
    ]
    return _opened(listed, keys, fields, classes)


@states(facts=nyuv2_facts)
def nyud_mt(part: str, *, path: Folder, classes: ClassCount = 40) -> FileSet:
    """The NYUD_MT archive: ``path/{images/*.jpg, segmentation/*.png, depth/*.npy, normals/*.npy}`` and ``gt_sets/``.

    Pictures are 480 x 640. Labels count from 1 with 0 = none; depth is in metres with 0 = invalid; normals are .npy in
    [-1, 1] with zeros = invalid, or, in the other published archive, PNG of (n + 1) * 127.5: whichever lies there is read.
    Edges are not read. Scenes are runs of neighbouring names (`scenes_of_neighbours`). (Vandenhende et al.; InvPT, ATRC.)

    Args:
        part: The list to read, ``gt_sets/<part>.txt``; "test" is the list "val".
        path: The folder that the archive was unpacked to.
        classes: The 40 classes, or the 13 that they are grouped into.
    """
    path = Path(path)
    require_folder(path, "images/, segmentation/, depth/, normals/ and gt_sets/")
    read_labels = ReadLabels(from_forty(counted_from_one(40), classes))
    listed = _gt_set(path, part)
    keys = read_names(listed)
    pictures = [path / "normals" / f"{key}.png" for key in keys]
    fields = [
        {
            "image": Field(path / "images" / f"{key}.jpg", read_picture),
            "segmentation": Field(path / "segmentation" / f"{key}.png", read_labels),
            "depth": Field(path / "depth" / f"{key}.npy", ReadDepth(reach=REACH)),
            "normals": Field(picture if picture.is_file() else picture.with_suffix(".npy"), read_normals),
        }
        for key, picture in zip(keys, pictures, strict=True)
    ]
    return _opened(listed, keys, fields, classes)


def _gt_set(path: Path, part: str) -> Path:
    return path / "gt_sets" / f"{'val' if part == 'test' else part}.txt"


def _opened(listed: Path, keys: Sequence[str], fields: Sequence[Mapping[str, Field]], classes: ClassCount) -> FileSet:
    """The pictures that a list names."""
    items = [
        Item(key, scene, files, f"{listed}, name {number}")
        for number, (key, scene, files) in enumerate(zip(keys, scenes_of_names(keys), fields, strict=True), start=1)
    ]
    return FileSet(with_files(items), labels=DENSE, classes=class_names(classes), where=str(listed))


def _mtan_facts(options: Mapping[str, Any]) -> SetFacts:
    return nyuv2_facts(options)._replace(size=(288, 384))


@states(facts=_mtan_facts)
def nyuv2_mtan(part: str, *, path: Folder, classes: ClassCount = 13) -> FileSet:
    """The .npy tree of NYUv2 that MTAN published: ``path/{train,val}/{image,label,depth,normal}/{i}.npy`` (288 x 384).

    Images are float (H, W, 3) in [0, 1], labels count from 0 with -1 = none, depth is (H, W, 1) in metres with 0 = invalid,
    normals (H, W, 3) are unit vectors with zeros = invalid; any numeric type is read. The files are renumbered from 0, so
    where a scene ends is unknown: 20 neighbours count as one (`scenes_of_neighbours`). (Liu et al., MTAN.)

    Args:
        part: "train" or "val", which is also the "test".
        path: The folder that holds train/ and val/.
        classes: How many the files have: 13 as published, or 40.
    """
    require_folder(Path(path), "train/ and val/ of MTAN's .npy files")
    folder = Path(path) / ("val" if part == "test" else part)
    require_folder(folder / "image", "{i}.npy images")
    names = class_names(classes)
    tree = Numbered(folder, {"segmentation": "label", "depth": "depth", "normals": "normal"}, ".npy")
    read_labels = ReadLabels(counted_from_zero(len(names), ignore=-1))
    return tree.opened([read_labels, ReadDepth(reach=REACH), read_normals], names)


_LISTS = {"segmentation": "seg", "normals": "normal_mask"}


def _lists_facts(options: Mapping[str, Any]) -> SetFacts:
    return nyuv2_facts(options)._replace(labels=tuple(_LISTS))


@states(facts=_lists_facts)
def nyuv2_lists(
    part: str, *, path: Folder, classes: ClassCount = 40, data_dir: Annotated[Path | None, Where] = None
) -> FileSet:
    """NYUv2 as NDDR's lists: ``path/list/<part>_{seg,normal_mask}.txt`` with lines ``<image> <label>``.

    A file is found at `data_dir` + the listed path, which begins with "/". Labels are PNG, 0..39 with 255 = none; normals
    are PNG, (n + 1) * 127.5: they become true unit vectors here, not the raw bytes the authors train on. The lists must
    name the same images in the same order. Scenes are runs of neighbouring numbers in the images' names, or 20 neighbours
    without them (`scenes_of_neighbours`). (Gao et al., NDDR-CNN.)

    Args:
        part: "train" is the authors' "training", "test" their "testing"; or the name of another list.
        path: The folder that holds list/.
        classes: The 40 classes, or the 13 that they are grouped into.
        data_dir: In front of every listed path; `path` unless given.
    """
    path, split = Path(path), {"train": "training", "test": "testing"}.get(part, part)
    lists = {label: path / "list" / f"{split}_{ending}.txt" for label, ending in _LISTS.items()}
    names = class_names(classes)
    readers = {
        "image": read_picture,
        "segmentation": ReadLabels(from_forty(counted_from_zero(40, ignore=255), classes)),
        "normals": read_normals,
    }
    find = _Find(lists, str(data_dir or path).rstrip("/"), readers)
    first = next((label for label, file in lists.items() if file.is_file()), "segmentation")
    return FileSet(
        with_files(find.items((first,))), labels=tuple(lists), classes=names, where=str(lists[first]), complete=find
    )


@final
@dataclass(frozen=True)
class _Find:
    """Lists by label, what stands in front of their paths, and how each file is read."""

    lists: Mapping[str, Path]
    root: str
    readers: Mapping[str, Any]

    def __call__(self, items: Sequence[Item], labels: Sequence[str]) -> Sequence[Item]:
        return with_files(self.items(labels), labels) if labels else items

    def items(self, labels: Sequence[str]) -> list[Item]:
        """The items with the files of these labels, at least one."""
        lists = {label: self.lists[label] for label in labels}
        first = lists[labels[0]]
        require_folder(first.parent, ", ".join(file.name for file in lists.values()))
        pairs = {label: _pairs(file) for label, file in lists.items()}
        images = [image for image, _ in pairs[labels[0]]]
        for label, file in lists.items():
            _require_same_images(images, [image for image, _ in pairs[label]], first, file)
        items = []
        numbers = [re.findall(r"\d+", Path(image).stem) or [""] for image in images]
        scenes = scenes_of_names([found[-1] for found in numbers])
        for row, (image, scene) in enumerate(zip(images, scenes, strict=True)):
            named = {"image": image, **{label: pairs[label][row][1] for label in labels}}
            fields = {name: Field(Path(self.root + file), self.readers[name]) for name, file in named.items()}
            items.append(Item(image.lstrip("/"), scene, fields, f"{first}, line {row + 1}"))
        return items


def _pairs(file: Path) -> list[tuple[str, str]]:
    """[(image, label)] of a list; every line is checked."""
    pairs = []
    for number, line in enumerate(read_names(file), start=1):
        parts = line.split()
        if len(parts) != 2 or not all(part.startswith("/") for part in parts):
            raise ValueError(
                f"{file}, line {number} is {line!r}: expected '<image> <label>', two paths that begin with '/' with one "
                f"space between; correct the line"
            )
        pairs.append((parts[0], parts[1]))
    return pairs


def _require_same_images(first: Sequence[str], other: Sequence[str], first_file: Path, other_file: Path) -> None:
    if len(first) != len(other):
        raise ValueError(f"{first_file} names {len(first)} images, {other_file} {len(other)}: both must name the same ones")
    for number, (a, b) in enumerate(zip(first, other, strict=True), start=1):
        if a != b:
            raise ValueError(
                f"line {number}: {first_file} names {a}, {other_file} names {b}: both must name the same images in the "
                f"same order; sort them alike"
            )
