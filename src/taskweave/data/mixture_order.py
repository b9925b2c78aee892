"""Which data set of a mixture comes next, and which samples are read: functions of the seed and the number of the batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Annotated, Any, ClassVar, final

import torch
from annotated_types import Ge, Gt
from torch.utils.data import Sampler

from taskweave.data.order import Order, order_of

_DRAWN_AT_ONCE = 1024
Turn = Annotated[int, Ge(1)]


class MixtureSchedule(ABC):
    """The order of turns: in its turn a data set gives the next batch, or in mixed batches the next sample."""

    def __init__(self) -> None:  # else the signature would be that of `object`, which takes anything
        super().__init__()

    @abstractmethod
    def turns(self, batches: Mapping[str, float], *, seed: int) -> Iterator[str]:
        """An endless row of data sets, the same whenever it is asked for.

        Args:
            batches: In how many turns each data set is read through, in the order of the mixture.
            seed: Of the training.
        """

    def determining(self) -> dict[str, Any]:
        """What it is known by, as JSON values."""
        return {"kind": type(self).__name__, **vars(self)}


@final
class ConstantInterval(MixtureSchedule):
    """Switch to the next data set after so many turns: the cross-connected paper's order, whose interval is not printed.

    Args:
        batches: Turns of all data sets, or of each by its name; in mixed batches, whose turns are samples, ``{"a": 2, "b":
            6}`` puts two samples of a and six of b into every batch of eight.
    """

    def __init__(self, *, batches: Turn | dict[str, Turn] = 1) -> None:
        given = batches.values() if isinstance(batches, Mapping) else [batches]
        if not all(isinstance(count, int) and count >= 1 for count in given):
            raise ValueError(f"ConstantInterval switches after at least one turn, got {batches}")
        self.batches = batches

    def turns(self, batches: Mapping[str, float], *, seed: int) -> Iterator[str]:
        each = self.batches if isinstance(self.batches, Mapping) else dict.fromkeys(batches, self.batches)
        if set(each) != set(batches):
            raise ValueError(
                f"ConstantInterval has turns for {sorted(each)}; the data sets of the mixture are {sorted(batches)}"
            )
        cycle = [name for name in batches for _ in range(each[name])]
        while True:
            yield from cycle


@final
class RoundRobin(MixtureSchedule):
    """One turn each, in the order of the mixture."""

    def turns(self, batches: Mapping[str, float], *, seed: int) -> Iterator[str]:
        return ConstantInterval(batches=1).turns(batches, seed=seed)


@final
class Proportional(MixtureSchedule):
    """Drawn with a probability proportional to size: on average every data set is read through equally often."""

    by_size: ClassVar[bool] = True

    def turns(self, batches: Mapping[str, float], *, seed: int) -> Iterator[str]:
        yield from Temperature(t=1.0).turns(batches, seed=seed)


@final
class Temperature(MixtureSchedule):
    """Drawn with a probability proportional to size ** (1 / t). Sizes are counted in turns.

    As in multilingual translation (Arivazhagan et al., 2019, section 4.2).

    Args:
        t: 1 is proportional, infinity draws all equally often.
    """

    by_size: ClassVar[bool] = True

    def __init__(self, *, t: Annotated[float, Gt(0.0)]) -> None:
        if not t > 0:
            raise ValueError(f"Temperature is above 0 (1: proportional to size, larger: more equal), got {t}")
        self.t = t

    def turns(self, batches: Mapping[str, float], *, seed: int) -> Iterator[str]:
        names, largest = list(batches), max(batches.values())
        shares = torch.tensor([(size / largest) ** (1.0 / self.t) for size in batches.values()], dtype=torch.float64)
        generator = torch.Generator().manual_seed((seed * 1_000_003 + 500_009) % 2**63)
        while True:
            for i in torch.multinomial(shares, _DRAWN_AT_ONCE, replacement=True, generator=generator).tolist():
                yield names[i]


_APART = 7_919
"""Between the seeds of two data sets; the first has the seed itself, so that a mixture of one reads as the set alone."""


@final
@dataclass(frozen=True)
class Turns:
    """The order of the data sets' turns, and how much is read in each turn.

    Args:
        sizes: Number of samples of each data set.
        per_turn: Number of samples read in one turn of each data set.
        per_batch: Number of turns that make a batch.
        blocks: For each data set, the samples that are read from its files at once.
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

    An index counts through all data sets in a row. Each is read in its own epochs, which are the draws and follow each
    other without a gap: batch b reads the same samples wherever the reading starts.
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
    """How far a number of batches reads."""

    epoch: int
    """After how many as many samples were read as all data sets have together."""
    covered: int | None
    """After how many every data set was read through, or None where these batches do not get there."""
    visited: frozenset[str]
    """The data sets that have a turn at all."""


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
