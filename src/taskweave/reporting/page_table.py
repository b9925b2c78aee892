"""The table of a comparison as a page shows it: heads by task, cells that can be sorted, pieces for paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, final

from taskweave.reporting.layout import COSTS_TITLE, best_places, pieces_of
from taskweave.reporting.tables import Column, Entry, Line, Table

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
    """A column's head. first: which order a reader wants first, best on top.  starts: whether a span begins here."""

    text: str
    spoken: str
    first: Literal["ascending", "descending"]
    starts: bool


@final
@dataclass(frozen=True)
class Cell:
    """A number. value: unrounded, to sort by; "" where there is none.  tone: of gains.  starts: as of its head."""

    text: str
    value: str
    marks: tuple[str, ...] = ()
    tone: Tone = ""
    best: bool = False
    starts: bool = False


@final
@dataclass(frozen=True)
class Method:
    """A row. counted: its seeds for people.  note: why seeds are missing.  trained: False for what was not trained here."""

    name: str
    seeds: int
    counted: str
    cells: tuple[Cell, ...]
    note: str = ""
    trained: bool = True


@final
@dataclass(frozen=True)
class Sheet:
    """A table, or a piece of one. groups: rows that stay together when it is sorted, by the first of them."""

    spans: tuple[Span, ...]
    heads: tuple[Head, ...]
    groups: tuple[tuple[Method, ...], ...]


def whole_sheet(table: Table) -> Sheet:
    """All columns: wide, to be scrolled and sorted."""
    return _sheet(table, range(len(table.columns)))


def paper_sheets(table: Table) -> tuple[Sheet, ...]:
    """The same in pieces as wide as paper, one after the other."""
    return tuple(_sheet(table, piece.places) for piece in pieces_of(table, widest=_ON_PAPER))


def _sheet(table: Table, places: Sequence[int]) -> Sheet:
    columns = [table.columns[place] for place in places]
    tasks = [column.task or COSTS_TITLE for column in columns]
    starts = [number == 0 or tasks[number] != tasks[number - 1] for number in range(len(tasks))]
    best = best_places(table)
    return Sheet(
        spans=tuple(Span(title, len(list(group))) for title, group in groupby(tasks)),
        heads=tuple(_head(column, start) for column, start in zip(columns, starts, strict=True)),
        groups=tuple(
            tuple(
                _method(table.lines[number], [(number, place) for place in places], table=table, best=best, starts=starts)
                for number in together
            )
            for together in _groups(table.lines)
        ),
    )


def _groups(lines: Sequence[Line]) -> list[list[int]]:
    """Which lines stand together: what a paper prints belongs to the method above it."""
    groups: list[list[int]] = []
    for number, line in enumerate(lines):
        if line.kind == "printed" and groups:
            groups[-1].append(number)
        else:
            groups.append([number])
    return groups


def _head(column: Column, starts: bool) -> Head:
    text = column.head.removeprefix(f"{column.task} ")
    of_task = (column.task, column.metric, *(("gain",) if column.kind == "gain" else ()))
    spoken = " ".join(of_task) if column.task else text
    small_first = column.direction == "lower" if column.kind == "metric" else column.kind in _COSTS
    return Head(text, spoken, "ascending" if small_first else "descending", starts)


_COSTS = ("parameters", "flops", "seconds_per_step")


def _method(
    line: Line,
    places: Sequence[tuple[int, int]],
    *,
    table: Table,
    best: frozenset[tuple[int, int]],
    starts: Sequence[bool],
) -> Method:
    cells = tuple(
        _cell(line.entries[place], table.columns[place], best=(number, place) in best, starts=start)
        for (number, place), start in zip(places, starts, strict=True)
    )
    trained = line.kind in ("method", "failed")
    return Method(line.method, line.seeds, line.counted, cells=cells, note=line.note, trained=trained)


def _cell(entry: Entry, column: Column, *, best: bool, starts: bool) -> Cell:
    tone: Tone = ""
    if column.kind in ("gain", "relative_gain"):
        tone = "up" if entry.text.startswith("+") else "down" if entry.text.startswith("-") else ""
    value = "" if entry.value is None else repr(entry.value)
    return Cell(entry.text, value, entry.marks, tone, best, starts)
