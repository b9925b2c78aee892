"""In which order the samples of several data sets are read: a function of the seed and the number of the batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import final

from torch.utils.data import Sampler

from taskweave.data.mixture_schedules import MixtureSchedule
from taskweave.data.order import Order, order_of

_APART = 7_919
"""Between the seeds of two data sets; the first has the seed itself, so that a mixture of one reads as the set alone."""


@final
@dataclass(frozen=True)
class Turns:
    """Whose turn it is, and how much is read in it.

    sizes: samples of each data set.  per_turn: samples read in a turn of each.  per_batch: turns that make a batch.
    blocks: of each data set (`LabelledSet.blocks`); () or none where there are none.
    """

    sizes: Mapping[str, int]
    schedule: MixtureSchedule
    per_turn: Mapping[str, int]
    per_batch: int
    seed: int
    blocks: Mapping[str, Sequence[Sequence[int]]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[str]:
        lengths = {name: size / self.per_turn[name] for name, size in self.sizes.items()}
        return self.schedule.turns(lengths, seed=self.seed)


@final
class MixtureOrder(Sampler[list[tuple[int, int]]]):
    """The batches `first`..`last` - 1 of a mixture as [(index, draw)], for a DataLoader's ``batch_sampler``.

    An index counts through all data sets in a row. Each is read in its own epochs, which follow each other without a gap,
    and draws are its epochs: batch b reads the same samples wherever the reading starts.
    """

    def __init__(self, turns: Turns, *, first: int, last: int) -> None:
        if not 0 <= first <= last:
            raise ValueError(f"need 0 <= first <= last, got first={first}, last={last}")
        self.turns, self.first, self.last = turns, first, last

    def __len__(self) -> int:
        return self.last - self.first

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        how, turns = self.turns, iter(self.turns)
        passed = Counter(islice(turns, self.first * how.per_batch))
        readers, offset = {}, 0
        for position, (name, size) in enumerate(how.sizes.items()):
            order = order_of(size, how.blocks.get(name, ()), how.seed + _APART * position)
            readers[name] = _read(order, offset=offset, start=passed[name] * how.per_turn[name])
            offset += size
        for _ in range(len(self)):
            names = islice(turns, how.per_batch)
            yield [at for name in names for at in islice(readers[name], how.per_turn[name])]


def _read(order: Order, *, offset: int, start: int) -> Iterator[tuple[int, int]]:
    """The samples from number `start` on, without end."""
    epoch, skipped = divmod(start, order.count)
    while True:
        for index, draw in order.epoch(epoch)[skipped:]:
            yield offset + index, draw
        epoch, skipped = epoch + 1, 0


@final
@dataclass(frozen=True)
class Reach:
    """How far a number of batches reads.

    epoch: after how many batches as many samples were read as all data sets have together.
    covered: after how many every data set was read through, or None where these batches do not get there.
    visited: the data sets that have a turn at all.
    """

    epoch: int
    covered: int | None
    visited: frozenset[str]


def reach(turns: Turns, batches: int) -> Reach:
    """What `batches` batches read."""
    read: Counter[str] = Counter()
    whole, epoch, covered, number = sum(turns.sizes.values()), 0, None, 0
    visited: frozenset[str] = frozenset()
    left, row = set(turns.sizes), iter(turns)
    while number < batches or not epoch:
        number += 1
        for name in islice(row, turns.per_batch):
            read[name] += turns.per_turn[name]
            if read[name] >= turns.sizes[name]:
                left.discard(name)
        if not epoch and read.total() >= whole:
            epoch = number
        if covered is None and not left and number <= batches:
            covered = number
        if number == batches:
            visited = frozenset(read)
    return Reach(epoch, covered, visited)
