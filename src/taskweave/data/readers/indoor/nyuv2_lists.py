"""NYUv2 as NDDR-CNN's authors list it: text files of image and label paths."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from taskweave.data.neighbours import scenes_of_neighbours
from taskweave.data.readers.files import ReadLabels, read_normals, read_picture
from taskweave.data.readers.fileset import Field, FileSet, Item, read_names, require_files, require_folder, require_labels
from taskweave.data.readers.indoor.nyuv2_classes import ClassCount, class_names, from_forty
from taskweave.data.readers.label_codes import counted_from_zero

_LISTS = {"segmentation": "seg", "normals": "normal_mask"}


def open_nyuv2_lists(
    path: Path,
    *,
    split: str,
    classes: ClassCount = 40,
    labels: Sequence[str] = ("segmentation", "normals"),
    data_dir: Path | None = None,
) -> FileSet:
    """``path/list/<split>_{seg,normal_mask}.txt`` with lines ``<image> <label>`` (Gao et al., NDDR-CNN).

    A file is found at `data_dir` + the listed path, which begins with "/". Labels are PNG, 0..39 with 255 = none; normals
    are PNG, (n + 1) * 127.5: they become true unit vectors here, not the raw bytes the authors train on. The lists must
    name the same images in the same order. Scenes are runs of neighbouring numbers in the images' names, or 20 neighbours
    without them (`scenes_of_neighbours`).

    split: "training" or "testing" in the authors' archive.
    data_dir: in front of every listed path; `path` unless given.
    """
    path = Path(path)
    labels = require_labels(labels, tuple(_LISTS), "the NDDR lists")
    lists = {label: path / "list" / f"{split}_{_LISTS[label]}.txt" for label in labels or ("segmentation",)}
    require_folder(path / "list", ", ".join(file.name for file in lists.values()))
    pairs = {label: _pairs(file) for label, file in lists.items()}
    names = class_names(classes)
    first = next(iter(lists))
    images = [image for image, _ in pairs[first]]
    for label, file in lists.items():
        _require_same_images(images, [image for image, _ in pairs[label]], lists[first], file)
    root = str(data_dir or path).rstrip("/")
    segmentation = ReadLabels(from_forty(counted_from_zero(40, ignore=255), classes))
    items = []
    for row, (image, scene) in enumerate(zip(images, _scenes(images), strict=True)):
        fields = {"image": Field(Path(root + image), read_picture)}
        for label in labels:
            read = segmentation if label == "segmentation" else read_normals
            fields[label] = Field(Path(root + pairs[label][row][1]), read)
        items.append(Item(image.lstrip("/"), scene, fields, f"{lists[first]}, line {row + 1}"))
    require_files(items, labels)
    return FileSet(items, labels=labels, classes=names, where=str(lists[first]))


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


def _scenes(images: Sequence[str]) -> tuple[str, ...]:
    numbers = [re.findall(r"\d+", Path(image).stem) for image in images]
    return scenes_of_neighbours([int(found[-1]) if found else row for row, found in enumerate(numbers)])
