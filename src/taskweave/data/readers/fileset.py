"""Data sets that are files on disk: one list of items, each with the files its image and targets are read from."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, Self, TypeVar, final

import torch
from torch import Tensor

from taskweave.data.boxes import bounding_boxes
from taskweave.data.dataset import NamedSet, require_labels
from taskweave.data.facts import SetFacts
from taskweave.data.readers.files import read_picture, read_picture_npy
from taskweave.data.sample import Sample

Read = Callable[[Path], Any]
"""Reads a file; a module's function or a frozen dataclass, so that it pickles."""


@final
@dataclass(frozen=True)
class Field:
    """A file and how to read it."""

    path: Path
    read: Read

    def value(self) -> Any:
        """What is in the file."""
        return self.read(self.path)


class OneBox(NamedTuple):
    """The only box of an image.

    Args:
        size: (height, width) of the image in which the box was drawn.
        listed: Where the box is listed, for messages.
    """

    row: tuple[float, float, float, float]
    size: tuple[int, int]
    listed: str


@dataclass(frozen=True)
class Listed:
    """One sample of a list."""

    key: str
    scene: str


@final
@dataclass(frozen=True)
class Item(Listed):
    """The files of one sample: ``image`` and the targets that exist.

    Args:
        listed: Where the sample is listed, for messages, e.g. "list/training_seg.txt, line 3".
        values: Targets that need no file of their own: a whole number, or a box.
    """

    fields: Mapping[str, Field]
    listed: str
    values: Mapping[str, int | OneBox] = field(default_factory=dict)


Entry = TypeVar("Entry", bound=Listed)
Complete = Callable[[Sequence[Item], tuple[str, ...]], Sequence[Item]]
"""From a data set's items and the labels to read, to the same items with what these labels need; raises for what is
missing. It pickles, as `Field.read` does."""


class ListedSet(NamedSet, Generic[Entry]):
    """Samples that are read from files when asked for, one for each of `entries`.

    Only the files of labels that are read are looked for: in `only`, or when the first sample is read.
    """

    def __init__(self, entries: Sequence[Entry], names: SetFacts, *, what: str) -> None:
        self.where = names.title
        if not entries:
            raise ValueError(f"{self.where} names no {what}: the data set is empty; give another split or path")
        key, count = Counter(entry.key for entry in entries).most_common(1)[0]
        if count > 1:
            raise ValueError(f"{self.where} names {key!r} {count} times: keys are unique; remove the repeated lines")
        super().__init__(names.labels, names)
        self._entries = tuple(entries)
        self._found = False

    def only(self, labels: Sequence[str]) -> Self:
        found = copy(self)
        found._labels = require_labels(labels, self._labels, self.where)
        found._find()
        return found

    def _find(self) -> None:
        """Look, once, for what the labels need."""
        if not self._found:
            self._entries = tuple(self._completed())
            self._found = True

    @abstractmethod
    def _completed(self) -> Sequence[Entry]:
        """The entries with what the labels need; raises for what is missing."""

    @abstractmethod
    def files(self, index: int) -> dict[str, Path]:
        """{``image`` or label: the file it is read from} of a sample."""

    def _entry(self, index: int) -> Entry:
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} is outside 0..{len(self) - 1} of {self.where}")
        self._find()
        return self._entries[index]

    def __len__(self) -> int:
        return len(self._entries)

    def key(self, index: int) -> str:
        return self._entries[index].key

    def scene(self, index: int) -> str:
        return self._entries[index].scene


@final
class FileSet(ListedSet[Item]):
    """The samples of `items`. Each published layout has a function that makes one.

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
        categories: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
        complete: Complete | None = None,
    ) -> None:
        named = SetFacts(where, tuple(labels), tuple(classes), categories=dict(categories))
        super().__init__(items, named, what="samples")
        self._complete = complete or with_files

    def _completed(self) -> Sequence[Item]:
        return self._complete(self._entries, self._labels)

    def __getitem__(self, index: int) -> Sample:
        item = self._entry(index)
        sample = {"image": item.fields["image"].value(), "key": item.key}
        for label in self._labels:
            if label in item.fields:
                sample[label] = item.fields[label].value()
                _require_same_size(sample, label, item)
            elif label in item.values:
                sample[label] = _target(item.values[label], sample["image"].shape[-2:], item)
        return sample

    @property
    def items(self) -> tuple[Item, ...]:
        """What each sample is read from."""
        self._find()
        return self._entries

    def files(self, index: int) -> dict[str, Path]:
        fields = self.items[index].fields
        return {name: fields[name].path for name in ("image", *self._labels) if name in fields}


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


def with_files(items: Sequence[Item], labels: Sequence[str] = ("image",)) -> Sequence[Item]:
    """`items`; FileNotFoundError for the first image, or file of these labels, that is named and not there."""
    for item in items:
        for name in labels:
            if name in item.fields and not item.fields[name].path.is_file():
                raise FileNotFoundError(
                    f"{item.fields[name].path} does not exist: {item.listed} names it as the {name} of {item.key!r}; "
                    f"restore the file or remove the line"
                )
    return items


def scenes_of_neighbours(numbers: Sequence[int], *, longest: int = 20) -> tuple[str, ...]:
    """A scene's name for each frame number: frames whose numbers follow each other without a gap are one scene.

    NYUv2 numbers its pictures scene by scene; a gap in an official split is where scenes of the other part lie. Joining two
    scenes only makes the held-out part coarser. A run is cut after `longest` frames, since a layout that renumbers its
    files has one run only: at such a cut, and only there, a scene may be in both parts.
    """
    names: list[str] = []
    start = length = 0
    for position, number in enumerate(numbers):
        follows = position > 0 and number == numbers[position - 1] + 1
        start, length = (start, length + 1) if follows and length < longest else (number, 1)
        names.append(f"from {start:04d}")
    return tuple(names)


def scenes_of_names(names: Sequence[str]) -> tuple[str, ...]:
    """The scenes of files that are called by numbers; one that is not counts as its place."""
    return scenes_of_neighbours([int(name) if name.isdecimal() else place for place, name in enumerate(names)])


@final
@dataclass(frozen=True)
class Numbered:
    """One part of a tree image/{i}, label/{i}, depth/{i}.

    Args:
        kinds: {label: its folder}.
        suffix: Suffix of every file.
    """

    folder: Path
    kinds: Mapping[str, str]
    suffix: str

    def opened(self, readers: Sequence[Read], classes: Sequence[str], *, complete: Complete | None = None) -> FileSet:
        """Open the part as a data set.

        Nothing says where a scene ends, so runs of 20 neighbours count as one.

        Args:
            readers: One for each of `kinds`.
        """
        images = self.folder / "image"
        numbers = sorted(_numbers_in(images, self.suffix))
        folders = {"image": "image", **self.kinds}
        read = dict(zip(folders, (read_picture_npy if self.suffix == ".npy" else read_picture, *readers), strict=True))
        items = []
        for number, scene in zip(numbers, scenes_of_neighbours(numbers), strict=True):
            file = f"{number}{self.suffix}"
            fields = {name: Field(self.folder / kind / file, read[name]) for name, kind in folders.items()}
            items.append(Item(str(number), scene, fields, str(images / file)))
        where, labels = str(images), tuple(self.kinds)
        return FileSet(items, labels=labels, classes=classes, where=where, complete=complete or self)

    def __call__(self, items: Sequence[Item], labels: Sequence[str]) -> Sequence[Item]:
        """`items`; ValueError where a label has other numbers: an archive that was unpacked in part, or two mixed."""
        numbers = {int(item.key) for item in items}
        for kind in (self.kinds[label] for label in labels):
            found = _numbers_in(self.folder / kind, self.suffix)
            if found == numbers:
                continue
            alone = sorted(found ^ numbers)
            where = self.folder / (kind if alone[0] in found else "image") / f"{alone[0]}{self.suffix}"
            raise ValueError(
                f"{self.folder / 'image'} has {len(numbers)} files {{i}}{self.suffix} and {self.folder / kind} has "
                f"{len(found)}: expected the same numbers in both; {where} has no counterpart, as {len(alone)} in all; "
                "unpack the archive again, or remove what has no counterpart"
            )
        return with_files(items, labels)


def _numbers_in(folder: Path, suffix: str) -> set[int]:
    return {int(file.stem) for file in folder.glob(f"*{suffix}") if file.stem.isdecimal()}
