"""Data sets seen through transforms: random ones that are the same whoever reads them, or at a smaller size."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import final

import torch
from torch.utils.data import Dataset

from taskweave.data.dataset import ChangedSet, LabelledSet
from taskweave.data.sample import Batch, Sample, collate
from taskweave.data.transforms.augmentation import ToInput, resize


@final
class Transformed(Dataset[Sample]):
    """A data set whose samples pass through `transform`, with random numbers that depend only on (seed, index, draw).

    Runs with another number of workers or another order, and resumed runs, therefore read the same pixels. Only torch's
    generator is seeded: transforms must take their random numbers from it.

    Args:
        transform: Applied to the entire sample (a dict); its last step is `ToInput`.
    """

    def __init__(self, dataset: LabelledSet, transform: Callable[[dict[str, object]], Sample], *, seed: int) -> None:
        self.dataset = dataset
        self.transform = transform
        self.seed = seed

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, at: int | tuple[int, int]) -> Sample:
        """The sample `at` = (index, draw), or at index with draw 0; a draw is, for example, the epoch."""
        index, draw = (at, 0) if isinstance(at, int) else at
        sample = self.dataset[index]
        # devices=[] and the default generator: CUDA's generators are the training's and must not be touched from here
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(_seed(self.seed, index, draw))
            return self.transform(dict(sample))

    def batch(self, at: Sequence[tuple[int, int]]) -> Batch:
        """`collate` of the samples at these (index, draw), bit for bit.

        Where the transform is `ToInput` alone, which draws nothing, a data set that reads batches fast reads it as one.
        """
        if isinstance(self.transform, ToInput):
            batch = self.dataset.batch_of([index for index, _ in at])
            if batch is not None:
                return replace(batch, image=self.transform.of_batch(batch.image))
        return collate([self[one] for one in at])


def _seed(*parts: int) -> int:
    """63 bits that differ for different numbers, the same on every machine (Python's own hash gives no such promise)."""
    digest = hashlib.blake2b(":".join(str(int(part)) for part in parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


@final
class Reduced(ChangedSet):
    """A data set at a smaller size, and optionally kept in memory.

    Args:
        size: (height, width) of the samples, see `resize`. Default: unchanged.
        in_memory: Read each sample once and remember it. 198 NYUv2 images at 96 x 128 with three targets take about 100 MB.
    """

    def __init__(self, dataset: LabelledSet, *, size: tuple[int, int] | None = None, in_memory: bool = False) -> None:
        super().__init__(dataset)
        self.size = size
        self.in_memory = in_memory
        self._known: dict[int, Sample] = {}

    def only(self, labels: Sequence[str]) -> Reduced:
        return Reduced(self.dataset.only(labels), size=self.size, in_memory=self.in_memory)

    def __getitem__(self, index: int) -> Sample:
        if index not in self._known:
            sample = self.dataset[index]
            if self.size is not None:
                sample = resize(sample, self.size)
            if not self.in_memory:
                return sample
            self._known[index] = sample
        return dict(self._known[index])

    def batch_of(self, indices: Sequence[int], *, size: tuple[int, int] | None = None) -> Batch | None:
        """Of files that have this size already: then nothing is resized."""
        if self.in_memory or (self.size and size and self.size != size):
            return None
        return self.dataset.batch_of(indices, size=self.size or size)

    @property
    def blocks(self) -> tuple[Sequence[int], ...]:
        """Those of the files, which are not read again where samples are in memory."""
        return () if self.in_memory else self.dataset.blocks
