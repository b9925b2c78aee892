"""A connection: a meeting place and its unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from torch import Tensor, nn

from taskweave.streams.stream import Memory
from taskweave.units.unit import Unit

Place = Mapping[str, str | tuple[str, ...]]
"""{stream: stage}. A tuple of stages gathers the features of all of them and meets at the last."""


@final
class Connection(nn.Module):
    """Where streams meet, {stream: stage}, and the unit that exchanges their features there.

    at: the stage of each stream that takes part; a tuple of stages gathers several features of a stream (as NDDR's
        shortcut does) and the unit's output takes the place of the last.
    unit: given one feature per stream (and per gathered stage), in the order of `at`.
    """

    def __init__(self, at: Place, unit: Unit) -> None:
        super().__init__()
        if not at:
            raise ValueError("a Connection needs at least one {stream: stage}, got none")
        empty = [name for name, stage in at.items() if not stage]
        if empty:
            raise ValueError(f"a Connection gathers at least one stage of each stream, got none of {empty}")
        self.at: dict[str, str | tuple[str, ...]] = {
            name: stage if isinstance(stage, str) else tuple(stage) for name, stage in at.items()
        }
        self.unit = unit
        self.meets: dict[str, str] = {name: s if isinstance(s, str) else s[-1] for name, s in self.at.items()}
        self.gathers: bool = any(not isinstance(stage, str) for stage in self.at.values())

    def gathered(self, name: str, memory: Memory) -> list[Tensor]:
        """The features that stream `name` brings to this place."""
        stages = self.at[name]
        return [memory[stages]] if isinstance(stages, str) else [memory[stage] for stage in stages]

    def extra_repr(self) -> str:
        return f"at={self.at}"
