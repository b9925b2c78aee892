"""What the page and LaTeX make of a table: pieces as wide as paper, the best of each column, and sheets for the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, final

from taskweave.reporting.tables import Column, Entry, Table

COSTS_TITLE = "gain and cost"
"""Over the columns that belong to no task."""


@final
@dataclass(frozen=True)
class Piece:
    """Columns of one task.

    Args:
        title: The task, or COSTS_TITLE.
        places: Indices of the table's columns, in order.
    """

    title: str
    places: tuple[int, ...]


def pieces_of(table: Table, *, widest: int) -> tuple[Piece, ...]:
    """Return the columns of each task, then the rest, in pieces of at most `widest` columns.

    Pieces are cut before a metric.

    Raises:
        ValueError: `widest` is under 2; a metric and its gain stay together.
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
    found: set[tuple[int, int]] = set()
    for place, column in enumerate(table.columns):
        entries = {i: line.entries[place] for i, line in enumerate(table.lines) if line.kind == "method"}
        values = {i: entry.value for i, entry in entries.items() if entry.value is not None}
        if column.kind in ("metric", "relative_gain") and len(values) > 1:
            sign = -1.0 if column.direction == "lower" else 1.0
            top = max(values, key=lambda i: sign * values[i])
            number = entries[top].text.partition(" ")[0]
            found |= {(i, place) for i in values if entries[i].text.partition(" ")[0] == number}
    return frozenset(found)


_ON_PAPER = 8
"""Columns of numbers that A4 has room for."""

Tone = Literal["", "up", "down"]


@final
@dataclass(frozen=True)
class Span:
    """A head over several columns."""

    title: str
    columns: int


@final
@dataclass(frozen=True)
class Head:
    """The head of a column.

    Args:
        spoken: The text for tooltips and screen readers.
        first: The order that puts the best on top.
        starts: Whether the column is the first of its span.
    """

    text: str
    spoken: str
    first: Literal["ascending", "descending"]
    starts: bool


@final
@dataclass(frozen=True)
class Cell:
    """A number in a table.

    Args:
        value: The unrounded number, to sort by; "" if there is none.
        tone: Whether a gain is up or down; "" for other numbers.
        starts: Whether the column is the first of its span.
    """

    text: str
    value: str
    marks: tuple[str, ...] = ()
    tone: Tone = ""
    best: bool = False
    starts: bool = False


@final
@dataclass(frozen=True)
class Method:
    """A row of a table.

    Args:
        counted: The number of seeds as text.
        note: Why seeds are missing.
        trained: False for rows that were not trained here.
    """

    name: str
    seeds: int
    counted: str
    cells: tuple[Cell, ...]
    note: str = ""
    trained: bool = True


@final
@dataclass(frozen=True)
class Sheet:
    """A table, or a piece of one.

    Args:
        groups: Rows that stay together when the table is sorted; the first row of a group decides its position.
    """

    spans: tuple[Span, ...]
    heads: tuple[Head, ...]
    groups: tuple[tuple[Method, ...], ...]


def whole_sheet(table: Table) -> Sheet:
    """All columns: wide, to be scrolled and sorted."""
    return _sheet(table, range(len(table.columns)))


def paper_sheets(table: Table) -> tuple[Sheet, ...]:
    """The same in pieces as wide as paper, one after the other."""
    return tuple(_sheet(table, piece.places) for piece in pieces_of(table, widest=_ON_PAPER))


def tone_of(text: str) -> Tone:
    """Whether a gain as it is written is one, or a loss."""
    return "up" if text.startswith("+") else "down" if text.startswith("-") else ""


def _sheet(table: Table, places: Sequence[int]) -> Sheet:
    columns = [table.columns[place] for place in places]
    tasks = [column.task or COSTS_TITLE for column in columns]
    starts = [number == 0 or tasks[number] != tasks[number - 1] for number in range(len(tasks))]
    best = best_places(table)
    groups: list[list[Method]] = []
    for number, line in enumerate(table.lines):
        cells = tuple(
            _cell(line.entries[place], table.columns[place], best=(number, place) in best, starts=start)
            for place, start in zip(places, starts, strict=True)
        )
        trained = line.kind in ("method", "failed")
        method = Method(line.method, line.seeds, line.counted, cells=cells, note=line.note, trained=trained)
        if line.kind == "printed" and groups:  # what a paper prints belongs to the method above it
            groups[-1].append(method)
        else:
            groups.append([method])
    return Sheet(
        spans=tuple(Span(title, len(list(group))) for title, group in groupby(tasks)),
        heads=tuple(_head(column, start) for column, start in zip(columns, starts, strict=True)),
        groups=tuple(tuple(group) for group in groups),
    )


def _head(column: Column, starts: bool) -> Head:
    text = column.head.removeprefix(f"{column.task} ")
    of_task = (column.task, column.metric, *(("gain",) if column.kind == "gain" else ()))
    spoken = " ".join(of_task) if column.task else text
    small_first = column.direction == "lower" if column.kind == "metric" else column.kind in _COSTS
    return Head(text, spoken, "ascending" if small_first else "descending", starts)


_COSTS = ("parameters", "flops", "seconds_per_step")


def _cell(entry: Entry, column: Column, *, best: bool, starts: bool) -> Cell:
    tone = tone_of(entry.text) if column.kind in ("gain", "relative_gain") else ""
    value = "" if entry.value is None else repr(entry.value)
    return Cell(entry.text, value, entry.marks, tone, best, starts)
