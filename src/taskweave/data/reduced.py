"""A data set at a smaller size, and kept in memory, for small runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

from taskweave.data.dataset import LabelledSet
from taskweave.data.resizing import resize
from taskweave.data.sample import Batch, Sample


@final
class Reduced(LabelledSet):
    """The samples of `dataset` at `size`; with `in_memory`, each is read once in a process and then remembered.

    size: (H, W), or None to leave the size; images bilinear with anti-aliasing, targets by the nearest pixel.
    in_memory: 198 NYUv2 images at 96 x 128 with three targets take about 100 MB.
    """

    def __init__(self, dataset: LabelledSet, *, size: tuple[int, int] | None = None, in_memory: bool = False) -> None:
        self.dataset = dataset
        self.size = size
        self.in_memory = in_memory
        self._known: dict[int, Sample] = {}

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Sample:
        if index not in self._known:
            sample = self.dataset[index]
            if self.size is not None:
                sample = resize(sample, self.size)
            if not self.in_memory:
                return sample
            self._known[index] = sample
        return dict(self._known[index])

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

    def batch_of(self, indices: Sequence[int], *, size: tuple[int, int] | None = None) -> Batch | None:
        """Of files that have this size already: then nothing is resized."""
        if self.in_memory or (self.size and size and self.size != size):
            return None
        return self.dataset.batch_of(indices, size=self.size or size)

    @property
    def blocks(self) -> tuple[Sequence[int], ...]:
        """Those of the files, which are not read again where samples are in memory."""
        return () if self.in_memory else self.dataset.blocks

    def key(self, index: int) -> str:
        return self.dataset.key(index)

    def scene(self, index: int) -> str:
        return self.dataset.scene(index)
