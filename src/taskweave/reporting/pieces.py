"""A wide table in pieces that fit on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import final

from taskweave.reporting.tables import Column, Table

COSTS_TITLE = "gain and cost"
"""Over the columns that belong to no task."""


@final
@dataclass(frozen=True)
class Piece:
    """Columns of one task. title: the task, or COSTS_TITLE.  places: which columns of the table, in order."""

    title: str
    places: tuple[int, ...]


def pieces_of(table: Table, *, widest: int) -> tuple[Piece, ...]:
    """The columns of each task, and the rest; of more than `widest` columns several pieces, cut before a metric.

    Raises ValueError for `widest` under 2: a metric and its gain stay together.
    """
    if widest < 2:
        raise ValueError(f"a piece holds a metric and its gain, two columns at least; got widest={widest}")
    found: list[Piece] = []
    numbered = list(enumerate(table.columns))
    for task, columns in groupby(numbered, key=lambda pair: pair[1].task):
        title = task or COSTS_TITLE
        found += [Piece(title, tuple(part)) for part in _cut(list(columns), widest)]
    return tuple(found)


def _cut(columns: Sequence[tuple[int, Column]], widest: int) -> list[list[int]]:
    """Into the fewest parts, as even as can be."""
    units: list[list[int]] = []
    for place, column in columns:
        if column.kind == "gain" and units:
            units[-1].append(place)
        else:
            units.append([place])
    most = max(1, widest // max(len(unit) for unit in units))
    count = -(-len(units) // most)
    shares = [units[i * len(units) // count : (i + 1) * len(units) // count] for i in range(count)]
    return [[place for unit in share for place in unit] for share in shares]
