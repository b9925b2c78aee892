"""What data sets that are made of another one have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from taskweave.data.dataset import LabelledSet


class DerivedSet(LabelledSet):
    """Samples made of those of `dataset`: with its labels, and its names of classes, objects and attributes.

    A subclass says which samples there are, and how each is made.
    """

    def __init__(self, dataset: LabelledSet) -> None:
        self.dataset = dataset

    @property
    def labels(self) -> tuple[str, ...]:
        return self.dataset.labels

    @property
    def classes(self) -> tuple[str, ...]:
        return self.dataset.classes

    @property
    def objects(self) -> tuple[str, ...]:
        return self.dataset.objects

    @property
    def attributes(self) -> tuple[str, ...]:
        return self.dataset.attributes

    @property
    def categories(self) -> Mapping[str, tuple[str, ...]]:
        return self.dataset.categories


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
