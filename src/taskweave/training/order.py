"""Which sample comes when: every epoch's order from a seed, so that training resumes at any batch, bit-exact."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any, Protocol, final

import torch
from torch.utils.data import DataLoader, Sampler

from taskweave.data.sample import Batch, Sample, collate

At = tuple[int, int]
"""(index of a sample, draw): the draw, here the epoch, seeds the sample's random transforms."""


class Samples(Protocol):
    """A data set that can be drawn from: ``samples[index, draw]``; see `taskweave.data.transformed.Transformed`."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: At, /) -> Sample: ...


@final
class Order(Sampler[list[At]]):
    """Full batches without end, from batch number `start`: epochs follow each other, each a new permutation of all.

    A batch may span two epochs, so every sample is seen once per epoch whatever the batch size.
    """

    def __init__(self, size: int, batch_size: int, *, seed: int, start: int = 0) -> None:
        if size == 0:
            raise ValueError("the training data set is empty; check the folder and the split it was read from")
        self.size, self.batch_size, self.seed, self.start = size, batch_size, seed, start

    def __iter__(self) -> Iterator[list[At]]:
        epoch, permutation = -1, torch.empty(0)
        number = self.start * self.batch_size
        while True:
            batch: list[At] = []
            for n in range(number, number + self.batch_size):
                if n // self.size != epoch:
                    epoch = n // self.size
                    permutation = self.permutation(epoch)
                batch.append((int(permutation[n % self.size]), epoch))
            number += self.batch_size
            yield batch

    def permutation(self, epoch: int) -> torch.Tensor:
        """The order of the samples in an epoch."""
        # a generator of its own: two small numbers mixed into one seed, far apart for neighbours
        generator = torch.Generator().manual_seed((self.seed * 0x9E3779B97F4A7C15 + epoch) % 2**63)
        return torch.randperm(self.size, generator=generator)


def training_batches(samples: Samples, *, batch_size: int, seed: int, start: int, workers: int) -> Iterator[Batch]:
    """Batches without end, from number `start`. Raises ValueError for an empty data set."""
    return iter(_loader(samples, batch_sampler=Order(len(samples), batch_size, seed=seed, start=start), workers=workers))


def batches_in_order(samples: Samples, *, batch_size: int, workers: int = 0) -> Iterator[Batch]:
    """Every sample once, in order, draw 0. Raises ValueError for an empty data set."""
    if len(samples) == 0:
        raise ValueError("the data set to validate on is empty; check the folder and the split it was read from")
    indices = [(i, 0) for i in range(len(samples))]
    batches = [indices[i : i + batch_size] for i in range(0, len(indices), batch_size)]
    return iter(_loader(samples, batch_sampler=batches, workers=workers))


def _loader(samples: Samples, *, batch_sampler: Any, workers: int) -> DataLoader[Batch]:
    return DataLoader(
        samples,  # type: ignore[arg-type]  # a Protocol of ours, not torch's Dataset class
        batch_sampler=batch_sampler,
        collate_fn=collate,
        num_workers=workers,
        persistent_workers=False,
        worker_init_fn=_ignore_interrupt,
        generator=torch.Generator().manual_seed(0),  # else an iterator draws from the global state that resuming restores
    )


def _ignore_interrupt(worker: int) -> None:
    """Ctrl-C reaches every process of the terminal; the main one decides, after the step."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
