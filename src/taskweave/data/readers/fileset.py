"""Data sets that are files on disk: one list of items, each with the files its image and targets are read from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from taskweave.data.boxes import bounding_boxes
from taskweave.data.dataset import LabelledSet, require_labels
from taskweave.data.sample import Sample

Read = Callable[[Path], Any]
"""Reads a file; a module's function or a frozen dataclass, so that it pickles."""


@final
@dataclass(frozen=True)
class Field:
    """A file and how to read it."""

    path: Path
    read: Read


class OneBox(NamedTuple):
    """The one box of an image. size: (H, W) of the image it was drawn in. listed: where it is written, for messages."""

    row: tuple[float, float, float, float]
    size: tuple[int, int]
    listed: str


@final
@dataclass(frozen=True)
class Item:
    """One sample's files: ``image`` and the targets that exist.

    listed: where the item was named, for messages, e.g. "list/training_seg.txt, line 3".
    values: targets that need no file of their own: a whole number, or a box.
    """

    key: str
    scene: str
    fields: Mapping[str, Field]
    listed: str
    values: Mapping[str, int | OneBox] = field(default_factory=dict)


Complete = Callable[[Sequence[Item], tuple[str, ...]], Sequence[Item]]
"""From a data set's items and the labels to read, to the same items with what these labels need; raises for what is
missing. It pickles, as `Field.read` does."""


@final
class FileSet(LabelledSet):
    """The samples of `items`, read when asked for. Each published layout has a function that makes one.

    Only the files of labels that are read are looked for: in `only`, or when the first sample is read.

    Args:
        items: One for each sample. Their images are there.
        labels: The targets to offer.
        classes: Names of the segmentation classes.
        where: What lists the items, for messages.
        categories: {label: names of its classes}, of labels that are one class of the whole picture.
        complete: Finds what labels need; by default their files have to exist.
    """

    def __init__(
        self,
        items: Sequence[Item],
        *,
        labels: Sequence[str],
        classes: Sequence[str],
        where: str,
        categories: Mapping[str, Sequence[str]] = MappingProxyType({}),
        complete: Complete | None = None,
    ) -> None:
        if not items:
            raise ValueError(f"{where} names no samples: the data set is empty; give another split or path")
        key, count = Counter(item.key for item in items).most_common(1)[0]
        if count > 1:
            raise ValueError(f"{where} names {key!r} {count} times: keys are unique; remove the repeated lines")
        self._items = tuple(items)
        self._labels = tuple(labels)
        self._classes = tuple(classes)
        self._categories = {label: tuple(names) for label, names in categories.items()}
        self._complete: Complete | None = complete or with_files
        self.where = where

    def only(self, labels: Sequence[str]) -> FileSet:
        found = copy(self)
        found._labels = require_labels(labels, self._labels, self.where)
        found._find()
        return found

    def _find(self) -> None:
        """Once, what the labels need."""
        if self._complete is not None:
            self._items = tuple(self._complete(self._items, self._labels))
            self._complete = None

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} is outside 0..{len(self) - 1} of {self.where}")
        self._find()
        item = self._items[index]
        sample = {"image": _read(item.fields["image"]), "key": item.key}
        for label in self._labels:
            if label in item.fields:
                sample[label] = _read(item.fields[label])
                _require_same_size(sample, label, item)
            elif label in item.values:
                sample[label] = _target(item.values[label], sample["image"].shape[-2:], item)
        return sample

    @property
    def labels(self) -> tuple[str, ...]:
        return self._labels

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes if "segmentation" in self._labels else ()

    @property
    def categories(self) -> Mapping[str, tuple[str, ...]]:
        return {label: names for label, names in self._categories.items() if label in self._labels}

    @property
    def items(self) -> tuple[Item, ...]:
        """What each sample is read from."""
        self._find()
        return self._items

    def key(self, index: int) -> str:
        return self._items[index].key

    def scene(self, index: int) -> str:
        return self._items[index].scene

    def files(self, index: int) -> dict[str, Path]:
        """{``image`` or label: the file it is read from} of a sample."""
        item = self.items[index]
        return {name: item.fields[name].path for name in ("image", *self._labels) if name in item.fields}


def _read(field: Field) -> Any:
    return field.read(field.path)


def _target(value: int | OneBox, size: tuple[int, int], item: Item) -> Tensor:
    """int64 (), or BoundingBoxes (1, 4)."""
    if not isinstance(value, OneBox):
        return torch.tensor(value)
    if tuple(size) != value.size:
        raise ValueError(
            f"image {item.fields['image'].path} is {size[0]} x {size[1]} (H x W), but {value.listed} says "
            f"{value.size[0]} x {value.size[1]}: its box would lie elsewhere; correct one, or leave {item.key!r} out"
        )
    box: Tensor = bounding_boxes([value.row], value.size)
    return box


def _require_same_size(sample: Mapping[str, Any], label: str, item: Item) -> None:
    image, target = tuple(sample["image"].shape[-2:]), tuple(sample[label].shape[-2:])
    if image != target:
        raise ValueError(
            f"image {item.fields['image'].path} is {image[0]} x {image[1]} (H x W), "
            f"its {label} {item.fields[label].path} is {target[0]} x {target[1]}: "
            f"expected one size; resize one of the files, or leave {item.key!r} out"
        )


def require_folder(path: Path, holds: str) -> None:
    """Raise FileNotFoundError unless `path` is a folder; `holds` says what is expected in it."""
    if not path.is_dir():
        found = "is a file" if path.exists() else "does not exist"
        raise FileNotFoundError(f"{path} {found}: expected a folder with {holds}; give the path of that folder")


def with_files(items: Sequence[Item], labels: Sequence[str]) -> Sequence[Item]:
    """`items`; FileNotFoundError for the first file of these labels that is named and not there."""
    for item in items:
        for name in labels:
            if name in item.fields and not item.fields[name].path.is_file():
                raise FileNotFoundError(
                    f"{item.fields[name].path} does not exist: {item.listed} names it as the {name} of {item.key!r}; "
                    f"restore the file or remove the line"
                )
    return items


def with_images(items: Sequence[Item]) -> Sequence[Item]:
    """`items`; FileNotFoundError for the first image that is named and not there."""
    return with_files(items, ("image",))


def read_names(path: Path) -> list[str]:
    """The non-empty lines of a list file; FileNotFoundError names the lists that are there."""
    if not path.is_file():
        there = sorted(other.name for other in path.parent.glob("*.txt")) if path.parent.is_dir() else []
        raise FileNotFoundError(
            f"{path} does not exist: {path.parent} has {there}; give one of these as the split"
            if there
            else f"{path} does not exist, nor any other list beside it; give the folder that the data set was unpacked to"
        )
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
