"""What the page and LaTeX make of a table: pieces as wide as paper, and the best of each column."""

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


def best_places(table: Table) -> frozenset[tuple[int, int]]:
    """{(line, column)} of the best metrics and relative gains among the trained methods.

    All that read alike are best together: a difference that the rounding hides is none to point at. A column with one
    number has no best.
    """
    return frozenset(
        (line, place) for place, column in enumerate(table.columns) for line in _best_lines(table, column, place)
    )


def _best_lines(table: Table, column: Column, place: int) -> list[int]:
    if column.kind not in ("metric", "relative_gain"):
        return []
    entries = {i: line.entries[place] for i, line in enumerate(table.lines) if line.kind == "method"}
    values = {i: entry.value for i, entry in entries.items() if entry.value is not None}
    if len(values) < 2:
        return []
    sign = -1.0 if column.direction == "lower" else 1.0
    top = max(values, key=lambda i: sign * values[i])
    return [i for i in values if _number(entries[i].text) == _number(entries[top].text)]


def _number(text: str) -> str:
    return text.partition(" ")[0]
