"""NYUv2 as NDDR-CNN's authors list it: text files of image and label paths."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, final

from taskweave.data.facts import Folder, SetFacts
from taskweave.data.readers.files import ReadLabels, read_normals, read_picture
from taskweave.data.readers.fileset import Field, FileSet, Item, read_names, require_folder, with_files, with_images
from taskweave.data.readers.indoor.nyuv2_classes import ClassCount, class_names, from_forty, nyuv2_facts
from taskweave.data.readers.label_codes import counted_from_zero
from taskweave.data.readers.numbered import scenes_of_neighbours
from taskweave.parts import Where, states

_LISTS = {"segmentation": "seg", "normals": "normal_mask"}
_NAMES = {"train": "training", "test": "testing"}


def _facts(options: Mapping[str, Any]) -> SetFacts:
    return nyuv2_facts(options)._replace(labels=tuple(_LISTS))


@states(facts=_facts)
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
    path, split = Path(path), _NAMES.get(part, part)
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
        with_images(find.items((first,))), labels=tuple(lists), classes=names, where=str(lists[first]), complete=find
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
        for row, (image, scene) in enumerate(zip(images, _scenes(images), strict=True)):
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


def _scenes(images: Sequence[str]) -> tuple[str, ...]:
    numbers = [re.findall(r"\d+", Path(image).stem) for image in images]
    return scenes_of_neighbours([int(found[-1]) if found else row for row, found in enumerate(numbers)])
