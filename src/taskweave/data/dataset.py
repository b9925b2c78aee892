"""What every data set offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import final

from torch.utils.data import Dataset

from taskweave.data.facts import Names
from taskweave.data.sample import Batch, Sample


class LabelledSet(Dataset[Sample], ABC):
    """Images, each with the targets that exist for it.

    Samples carry raw values: ``image`` uint8 (3, H, W) RGB; ``segmentation`` Mask int64 (H, W), 255 = ignore;
    ``depth`` Depth float32 (1, H, W) in metres, 0 = invalid, or, in data sets of inverse depth, as ``disparity``;
    ``normals`` Normals float32 (3, H, W), zeros = invalid; ``disparity`` Disparity float32 (1, H, W), 0 = invalid;
    ``detection`` and ``attributes`` boxes with their labels, see `taskweave.data.boxes`; one with `categories`
    int64 (); ``age`` int64 () in years, 0..99; ``box`` BoundingBoxes (1, 4), the one box that is asked for.
    A data set pickles, so that worker processes can have it.
    """

    @abstractmethod
    def __len__(self) -> int:
        """How many samples there are."""

    @abstractmethod
    def __getitem__(self, index: int) -> Sample:
        """The sample as it is stored: ``image``, ``key`` and a target under each task's name.

        Raises IndexError outside 0..len - 1, so that a plain ``for`` ends.
        """

    @property
    @abstractmethod
    def labels(self) -> tuple[str, ...]:
        """Which targets samples may carry, e.g. ``("segmentation", "depth")``; a sample may lack some."""

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """Names of the segmentation classes in the order of their ids; () without segmentation."""

    def only(self, labels: Sequence[str]) -> LabelledSet:
        """The same samples with these labels alone, in this order; () for images without targets.

        Sets that are read from files do not touch the files of the other labels.

        Raises:
            ValueError: A label is not one of `self.labels`.
        """
        return Restricted(self, labels)

    @property
    def objects(self) -> tuple[str, ...]:
        """Names of the object classes: label k of a box is objects[k - 1]; () without boxes."""
        return ()

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the objects' attributes, in the order of their values; () without attributes."""
        return ()

    @property
    def categories(self) -> Mapping[str, tuple[str, ...]]:
        """{label: names of its classes, in the order of their ids}, of labels that are one class of the whole picture."""
        return {}

    def batch_of(self, indices: Sequence[int], *, size: tuple[int, int] | None = None) -> Batch | None:
        """Return `collate` of these samples, images raw and boxes tidied (`boxes.tidy`), if that is faster than one by one.

        Args:
            size: (height, width) that every image, and everything that lies on it, must have. Default: any.

        Returns:
            None if this data set has no faster way, if images of the batch differ in form, or if one is not of `size`.

        Raises:
            IndexError: An index is outside 0..len - 1.
        """
        return None

    @property
    def blocks(self) -> tuple[Sequence[int], ...]:
        """Which samples are read from their files at once, every index in one block; () where each is read by itself.

        A training shuffles the blocks, and the samples of each (`BlockOrder`).
        """
        return ()

    @abstractmethod
    def key(self, index: int) -> str:
        """The sample's name, unique in this data set and the same in every run; read from no file."""

    @abstractmethod
    def scene(self, index: int) -> str:
        """The place the picture shows: pictures of one scene must not be split between training and validation."""


def require_labels(labels: Sequence[str], available: Sequence[str], where: str) -> tuple[str, ...]:
    """`labels` without repetition; ValueError where one is not in `available`."""
    if unknown := [label for label in labels if label not in available]:
        raise ValueError(f"{where} has no label {unknown[0]!r}; it has {list(available)}")
    return tuple(dict.fromkeys(labels))


class NamedSet(LabelledSet):
    """A data set that offers `labels`, and of what `names` knows the names of these."""

    def __init__(self, labels: Sequence[str], names: Names) -> None:
        self._labels = tuple(labels)
        self._names: Names = names

    @property
    def labels(self) -> tuple[str, ...]:
        return self._labels

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self._names.classes) if "segmentation" in self.labels else ()

    @property
    def objects(self) -> tuple[str, ...]:
        return tuple(self._names.objects)

    @property
    def attributes(self) -> tuple[str, ...]:
        return tuple(self._names.attributes) if "attributes" in self.labels else ()

    @property
    def categories(self) -> Mapping[str, tuple[str, ...]]:
        return {label: tuple(names) for label, names in self._names.categories.items() if label in self.labels}


class DerivedSet(NamedSet):
    """Samples made of those of `dataset`, with its labels and names. A subclass says which, and how each is made."""

    def __init__(self, dataset: LabelledSet) -> None:
        self.dataset = self._names = dataset

    @property
    def labels(self) -> tuple[str, ...]:
        return self.dataset.labels


class ChangedSet(DerivedSet):
    """Each sample of `dataset`, changed: as many, in its order, under its keys. A subclass says how."""

    def __len__(self) -> int:
        return len(self.dataset)

    @property
    def blocks(self) -> tuple[Sequence[int], ...]:
        return self.dataset.blocks

    def key(self, index: int) -> str:
        return self.dataset.key(index)

    def scene(self, index: int) -> str:
        return self.dataset.scene(index)


@final
class Restricted(ChangedSet):
    """What `LabelledSet.only` gives where a data set has no cheaper way: other targets are dropped once they are read."""

    def __init__(self, dataset: LabelledSet, labels: Sequence[str]) -> None:
        super().__init__(dataset)
        self._labels = require_labels(labels, dataset.labels, type(dataset).__name__)
        self._dropped = frozenset(dataset.labels) - frozenset(self._labels)

    @property
    def labels(self) -> tuple[str, ...]:
        return self._labels

    def __getitem__(self, index: int) -> Sample:
        return {name: value for name, value in self.dataset[index].items() if name not in self._dropped}

    def batch_of(self, indices: Sequence[int], *, size: tuple[int, int] | None = None) -> Batch | None:
        batch = self.dataset.batch_of(indices, size=size)
        if batch is None:
            return None
        targets = {label: target for label, target in batch.targets.items() if label not in self._dropped}
        return replace(batch, targets=targets, rows={label: batch.rows[label] for label in targets})
