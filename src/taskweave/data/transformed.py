"""A data set seen through random transforms that are the same whoever reads it, and in whatever order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import final

import torch
from torch.utils.data import Dataset

from taskweave.data.dataset import LabelledSet
from taskweave.data.sample import Batch, Sample, collate
from taskweave.data.transforms.augmentation import ToInput


@final
class Transformed(Dataset[Sample]):
    """`transform` of each sample of `dataset`; its random numbers depend on (seed, index, draw) alone.

    So two runs with other numbers of workers, other orders, or one interrupted and resumed, read the same pixels.
    Only torch's generator is set: transforms must draw from it (as torchvision's v2 and ours do).

    transform: a joint transform of the whole sample (a dict); its last step is `ToInput`.
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
