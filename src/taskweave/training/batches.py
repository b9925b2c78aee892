"""Batches in an order known from the seed, so that they resume anywhere, and how networks and tasks get them."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, final

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from taskweave.data.mixture import Mixture
from taskweave.data.order import BatchOrder, order_of
from taskweave.data.sample import Batch, Sample, collate
from taskweave.data.transformed import Transformed
from taskweave.tasks.task import Task
from taskweave.training.options import TrainingOptions

At = tuple[int, int]
"""(index of a sample, draw): the draw, here the epoch, seeds the sample's random transforms."""


class Samples(Protocol):
    """A data set that can be drawn from: ``samples[index, draw]``; see `taskweave.data.transformed.Transformed`."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: At, /) -> Sample: ...


def training_batches(
    samples: Samples,
    *,
    batch_size: int,
    seed: int,
    first: int,
    last: int,
    workers: int = 0,
    rank: int = 0,
    ranks: int = 1,
) -> Iterator[Batch]:
    """Yield batches number `first` to `last` - 1, all of them full; a batch may span two epochs.

    Data that are read in blocks are shuffled in blocks (`blocks_of`). Each worker process reads whole batches, so a block
    that spans two batches may be read by two workers.

    Args:
        rank: Number of this process. It gets its part of every batch, in the order of the batch.
        ranks: Number of processes; every batch is split among them as evenly as possible.

    Raises:
        ValueError: The data set is empty, or a batch has fewer samples than there are processes.
    """
    order: Sampler[list[At]]
    if isinstance(samples, Mixture):
        order = samples.order(batch_size, seed=seed, first=first, last=last)
    else:
        order = BatchOrder(order_of(len(samples), blocks_of(samples), seed), batch_size, first=first, last=last)
    return iter(_loader(samples, batch_sampler=order if ranks == 1 else _Share(order, rank, ranks), workers=workers))


def blocks_of(samples: Samples) -> tuple[Sequence[int], ...]:
    """Which samples are read at once (`LabelledSet.blocks`); () where none are, or that cannot be known."""
    return samples.dataset.blocks if isinstance(samples, Transformed) else ()


def batches_in_order(samples: Samples, *, batch_size: int, workers: int = 0) -> Iterator[Batch]:
    """Yield every sample once, in order, with draw 0; no batch mixes samples of two data sets.

    Raises:
        ValueError: The data set is empty.
    """
    if len(samples) == 0:
        raise ValueError("the data set to validate on is empty; check the folder and the split it was read from")
    whole = samples.ranges() if isinstance(samples, Mixture) else [range(len(samples))]
    batches = [[(i, 0) for i in part[at : at + batch_size]] for part in whole for at in range(0, len(part), batch_size)]
    return iter(_loader(samples, batch_sampler=batches, workers=workers))


@final
class _Share(Sampler[list[At]]):
    """One process's part of every batch."""

    def __init__(self, order: Sampler[list[At]], rank: int, ranks: int) -> None:
        self.order, self.rank, self.ranks = order, rank, ranks

    def __iter__(self) -> Iterator[list[At]]:
        for batch in self.order:
            first, last = (len(batch) * number // self.ranks for number in (self.rank, self.rank + 1))
            if len(batch) < self.ranks:
                raise ValueError(
                    f"a batch of {len(batch)} samples cannot be shared by {self.ranks} processes; give it at least one each"
                )
            yield batch[first:last]


@final
class _Batches(Dataset[Batch]):
    """Whole batches of samples, each read in the fastest way that there is."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples

    def __getitem__(self, at: list[At]) -> Batch:
        if isinstance(self.samples, Transformed):
            return self.samples.batch(at)
        return collate([self.samples[one] for one in at])


def _loader(samples: Samples, *, batch_sampler: Any, workers: int) -> DataLoader[Batch]:
    return DataLoader(
        _Batches(samples),
        sampler=batch_sampler,
        batch_size=None,
        collate_fn=_unchanged,
        num_workers=workers,
        worker_init_fn=_ignore_interrupt,
        generator=torch.Generator().manual_seed(0),  # else an iterator draws from the global state that resuming restores
    )


def _unchanged(batch: Any) -> Any:
    """Instead of torch's own, which goes through whatever it gets."""
    return batch


def _ignore_interrupt(worker: int) -> None:
    """Ctrl-C reaches every process of the terminal; the main one decides, after the step."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def labelled(tasks: Mapping[str, Task], batch: Batch) -> list[str]:
    """Those of `tasks` that have a label in the batch."""
    return [name for name in tasks if name in batch.targets]


def inputs_of(batch: Batch, tasks: Mapping[str, Task], *, training: bool) -> Any:
    """Return the images, or {stream: its input} where a task's network reads more than the images.

    Args:
        tasks: The tasks of all streams that run. Streams without a label in the batch count too: connections carry their
            features to the others.
    """
    inputs = {
        name: task.network_input(batch.image, batch.targets.get(name) if training else None, batch.rois)
        for name, task in tasks.items()
    }
    return batch.image if all(value is batch.image for value in inputs.values()) else inputs


def outputs_of(
    net: nn.Module, wanted: Sequence[str], batch: Batch, tasks: Mapping[str, Task], *, training: bool = False
) -> dict[str, Any]:
    """Outputs of the wanted tasks in float32, each for the samples that are labelled for it."""
    outputs = net(inputs_of(batch, tasks, training=training), tasks=wanted)
    chosen = {
        name: outputs[name] if batch.whole(name) else tasks[name].select(outputs[name], batch.rows[name]) for name in wanted
    }
    return {name: _in_float32(output) for name, output in chosen.items()}


def _in_float32(output: Any) -> Any:
    """An output with its half precision tensors in float32, whatever tuples, lists and mappings it is made of."""
    if isinstance(output, Tensor):
        return output.float() if output.is_floating_point() and output.element_size() < 4 else output
    if isinstance(output, Mapping):
        return {key: _in_float32(value) for key, value in output.items()}
    if isinstance(output, tuple) and type(output) is not tuple:  # a named one keeps its type
        return type(output)(*(_in_float32(value) for value in output))
    if isinstance(output, list | tuple):
        return type(output)(_in_float32(value) for value in output)
    return output


@final
@dataclass(frozen=True)
class Pace:
    """How many steps make an epoch.

    Args:
        done: How much of an epoch one step covers, in samples (in batches for a `Mixture`).
        whole: Length of an epoch, in the same unit.
        all_read: The step by which every sample has been read; None if training ends before that.
    """

    done: int
    whole: int
    all_read: int | None

    @property
    def steps(self) -> int:
        """Steps of an epoch, the last of which may reach into the next."""
        return -(-self.whole // self.done)

    def epochs(self, step: int) -> float:
        return step * self.done / self.whole

    def ends_epoch(self, step: int) -> bool:
        """Whether the step that made it `step` steps read the last sample of an epoch (or of several)."""
        return step * self.done // self.whole > (step - 1) * self.done // self.whole


def pace_of(train: Samples, options: TrainingOptions, *, seed: int) -> Pace:
    """An epoch of a mixture is as many samples as its data sets have together, whichever they are."""
    if isinstance(train, Mixture):
        reach = train.reach(options.batch_size, seed=seed, batches=options.steps * options.accumulate)
        read = None if reach.covered is None else -(-reach.covered // options.accumulate)
        return Pace(options.accumulate, reach.epoch, read)
    per_step = options.batch_size * options.accumulate
    return Pace(per_step, len(train), -(-len(train) // per_step))
