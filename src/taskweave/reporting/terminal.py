"""A table in the terminal: in one piece where it fits, else one piece per task."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from textwrap import shorten
from typing import final

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from taskweave.reporting.formats import NOTE, visible
from taskweave.reporting.layout import tone_of
from taskweave.reporting.tables import ARROWS, Column, Entry, Table


def to_rich(table: Table) -> RenderableType:
    """What rich prints; the numbers are those of the Markdown table. Nothing in names is read as markup."""
    return _OnScreen(table)


@final
class _OnScreen:
    """Decides by the console's width: rich would rather cut numbers short than start a second table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        def fits(piece: RichTable) -> bool:
            return Measurement.get(console, options.update(width=100_000), piece).maximum <= options.max_width

        whole = _widest(fits, self._table, self._table.columns)
        yield from _pieces(fits, self._table) if whole is None else [whole]
        for sentence in self._table.verdict:
            yield _plain(sentence)
        for remark in self._table.remarks:
            yield _plain(remark, "dim")
        for letter, reason in self._table.notes.items():
            yield _plain(f"{letter}: {reason}", "dim")


def _plain(text: str, style: str = "") -> Text:
    """Text that moves no cursor and sets no colour but `style`."""
    return Text(visible(text), style=style)


def _pieces(fits: Callable[[RichTable], bool], table: Table) -> Iterator[RichTable]:
    """One per task, then gain and cost, together where there is room for both."""
    for task in dict.fromkeys(column.task for column in table.columns):
        columns = [column for column in table.columns if column.task == task]
        beside = _widest(fits, table, columns, task=task)
        if beside is not None:
            yield beside
        elif task:
            yield _piece(table, columns, task=task, stacked=True)
        else:
            for gains in (True, False):
                part = [column for column in columns if (column.kind == "relative_gain") == gains]
                yield _widest(fits, table, part, task=task) or _piece(table, part, task=task)


def _widest(
    fits: Callable[[RichTable], bool], table: Table, columns: Sequence[Column], *, task: str | None = None
) -> RichTable | None:
    """With the intervals of relative gains where there is room for them; None where there is no room even without."""
    pieces = (_piece(table, columns, task=task, intervals=intervals) for intervals in (True, False))
    return next((piece for piece in pieces if fits(piece)), None)


def _piece(
    table: Table, columns: Sequence[Column], *, task: str | None = None, stacked: bool = False, intervals: bool = False
) -> RichTable:
    """Some columns of the table.

    task: whose columns they are ("" for gain and cost); it is then in the title and not in the heads.
    intervals: those of relative gains stand under them; those of metrics' gains are left to the Markdown and the CSV.
    stacked: gains stand under their metric, not beside it, and the number of seeds is left to the table of cost.
    """
    gains = [column.kind == "relative_gain" for column in columns]
    subject = "gain" if all(gains) else "gain and cost" if any(gains) else "cost"
    title = table.title if task is None else f"{table.title}: {task or subject}"
    piece = RichTable(title=_plain(title), title_justify="left", title_style="bold")
    piece.add_column("method", overflow="fold")
    counted = not (stacked and task)
    if counted:
        piece.add_column("seeds", justify="right")
    shown = [column for column in columns if not (stacked and column.kind == "gain")]
    for column in shown:
        # Numbers are never cut; where there is no room it is the method that takes more lines.
        piece.add_column(_head(column, task, stacked), justify="right", no_wrap=True)
    places = {column: number for number, column in enumerate(table.columns)}
    for line in table.lines:
        if line.kind == "printed" and all(line.entries[places[column]].value is None for column in columns):
            continue  # papers print no gains and no costs
        cells = [Text(line.counted)] if counted else []
        for column in shown:
            cell = _text(line.entries[places[column]], column)
            if stacked and column.kind == "metric":
                gain = replace(column, kind="gain", head="gain")
                cell = Text("\n").join([cell, _text(line.entries[places[gain]], gain)])
            interval = line.entries[places[column]].interval if intervals and column.kind == "relative_gain" else ""
            cells.append(Text("\n").join([cell, Text(interval, style="dim")]) if interval else cell)
        note = _plain(shorten(line.note, NOTE, placeholder="…"), "red")
        piece.add_row(Text("\n").join([_plain(line.method), note]) if line.note else _plain(line.method), *cells)
    return piece


def _head(column: Column, task: str | None, stacked: bool) -> Text:
    if column.kind != "metric" or task is None:
        # of several words a line each, so that the names of methods keep their room; a unit stays with its word
        return _plain(column.head if task is None else column.head.replace(", ", ",\N{NO-BREAK SPACE}").replace(" ", "\n"))
    if stacked and column.direction is not None:
        return _plain(f"{column.metric}\n{ARROWS[column.direction]} gain")
    return _plain(column.head.removeprefix(f"{task} "))


def _text(entry: Entry, column: Column) -> Text:
    text = Text(entry.text)
    if entry.value is not None and column.kind in ("gain", "relative_gain"):
        text.stylize({"up": "green", "down": "red", "": ""}[tone_of(entry.text)])
    if entry.marks:
        text.append(f" {','.join(entry.marks)}", style="dim")
    return text
