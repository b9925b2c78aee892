"""Batches of a data set: for training, in an order known from the seed, so that it resumes at any batch; for validation."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any, Protocol

import torch
from torch.utils.data import DataLoader

from taskweave.data.order import BatchOrder, EpochOrder
from taskweave.data.sample import Batch, Sample, collate

At = tuple[int, int]
"""(index of a sample, draw): the draw, here the epoch, seeds the sample's random transforms."""


class Samples(Protocol):
    """A data set that can be drawn from: ``samples[index, draw]``; see `taskweave.data.transformed.Transformed`."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: At, /) -> Sample: ...


def training_batches(
    samples: Samples, *, batch_size: int, seed: int, first: int, last: int, workers: int = 0
) -> Iterator[Batch]:
    """Batches number `first` to `last` - 1, all full: one may span two epochs. Raises ValueError for an empty data set."""
    order = BatchOrder(EpochOrder(len(samples), seed), batch_size, first=first, last=last)
    return iter(_loader(samples, batch_sampler=order, workers=workers))


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
        worker_init_fn=_ignore_interrupt,
        generator=torch.Generator().manual_seed(0),  # else an iterator draws from the global state that resuming restores
    )


def _ignore_interrupt(worker: int) -> None:
    """Ctrl-C reaches every process of the terminal; the main one decides, after the step."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
