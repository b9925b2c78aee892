"""Which data set of a mixture comes next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, final

import torch

_DRAWN_AT_ONCE = 1024


@dataclass(frozen=True)
class MixtureSchedule(ABC):
    """The order of turns: in its turn a data set gives the next batch, or in mixed batches the next sample."""

    @abstractmethod
    def turns(self, batches: Mapping[str, float], *, seed: int) -> Iterator[str]:
        """An endless row of data sets, the same whenever it is asked for.

        batches: in how many turns each data set is read through, in the order of the mixture.
        """

    def determining(self) -> dict[str, Any]:
        """What it is known by, as JSON values."""
        return {"kind": type(self).__name__, **asdict(self)}


@final
@dataclass(frozen=True)
class ConstantInterval(MixtureSchedule):
    """Switch to the next data set after so many turns: the cross-connected paper's order, whose interval is not printed.

    turns_each: for all data sets, or for each by its name; in mixed batches ``{"a": 2, "b": 6}`` puts two samples of a and
        six of b into every batch of eight.
    """

    turns_each: int | Mapping[str, int]

    def __post_init__(self) -> None:
        given = self.turns_each.values() if isinstance(self.turns_each, Mapping) else [self.turns_each]
        if not all(isinstance(count, int) and count >= 1 for count in given):
            raise ValueError(f"ConstantInterval switches after at least one turn, got {self.turns_each}")

    def turns(self, batches: Mapping[str, float], *, seed: int) -> Iterator[str]:
        each = self.turns_each if isinstance(self.turns_each, Mapping) else dict.fromkeys(batches, self.turns_each)
        if set(each) != set(batches):
            raise ValueError(
                f"ConstantInterval has turns for {sorted(each)}; the data sets of the mixture are {sorted(batches)}"
            )
        cycle = [name for name in batches for _ in range(each[name])]
        while True:
            yield from cycle


@final
@dataclass(frozen=True)
class RoundRobin(MixtureSchedule):
    """One turn each, in the order of the mixture."""

    def turns(self, batches: Mapping[str, float], *, seed: int) -> Iterator[str]:
        yield from ConstantInterval(1).turns(batches, seed=seed)


@final
@dataclass(frozen=True)
class Proportional(MixtureSchedule):
    """Drawn with a probability proportional to size: on average every data set is read through equally often."""

    def turns(self, batches: Mapping[str, float], *, seed: int) -> Iterator[str]:
        yield from Temperature(1.0).turns(batches, seed=seed)


@final
@dataclass(frozen=True)
class Temperature(MixtureSchedule):
    """Drawn with a probability proportional to size ** (1 / t): 1 is proportional, infinity draws all equally often.

    Sizes are counted in turns. As in multilingual translation (Arivazhagan et al., 2019, section 4.2).
    """

    t: float

    def __post_init__(self) -> None:
        if not self.t > 0:
            raise ValueError(f"Temperature is above 0 (1: proportional to size, larger: more equal), got {self.t}")

    def turns(self, batches: Mapping[str, float], *, seed: int) -> Iterator[str]:
        names, largest = list(batches), max(batches.values())
        shares = torch.tensor([(size / largest) ** (1.0 / self.t) for size in batches.values()], dtype=torch.float64)
        generator = torch.Generator().manual_seed((seed * 1_000_003 + 500_009) % 2**63)
        while True:
            for i in torch.multinomial(shares, _DRAWN_AT_ONCE, replacement=True, generator=generator).tolist():
                yield names[i]
