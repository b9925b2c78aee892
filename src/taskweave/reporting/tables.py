"""The one table of a comparison, from which Markdown, CSV, the terminal's and the page's are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, final

from taskweave.reporting.remarks import BESIDE, CONSTANT, DISTINGUISHABLE, remarks_on
from taskweave.results.comparison import ComparisonResult, Direction, Failure, Gain
from taskweave.results.gains import KINDS, interval_of
from taskweave.results.numbers import decimals_for, fixed, short, signed
from taskweave.results.summary import Cell, MethodSummary, summarise
from taskweave.results.verdict import verdict_of

ARROWS: dict[Direction, str] = {"higher": "↑", "lower": "↓"}

Kind = Literal["metric", "gain", "relative_gain", "parameters", "flops", "seconds_per_step"]
LineKind = Literal["method", "failed", "printed", "constant"]


@final
@dataclass(frozen=True)
class Column:
    """What a column shows.

    Args:
        head: Title in words, with an arrow for the direction.
        task: Set for "metric" columns and the "gain" columns beside them, else "".
        metric: As `task`; for a "relative_gain" column, the kind of the gain.
    """

    kind: Kind
    head: str
    task: str = ""
    metric: str = ""
    direction: Direction | None = None


@final
@dataclass(frozen=True)
class Entry:
    """One number of the table.

    Args:
        value: Unrounded, as are `spread`, `low` and `high`; None if there is none.
        text: The value with its spread, rounded, without marks.
        marks: Letters of the notes that apply.
        interval: "[low, high]" of a gain, rounded.
    """

    value: float | None
    text: str
    spread: float | None = None
    marks: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    interval: str = ""


@final
@dataclass(frozen=True)
class Line:
    """One method: its label, the number of its seeds with results, and an entry per column.

    Args:
        kind: "failed" if no seed has results; "printed" and "constant" if not trained here.
        failures: The seeds that could not be trained.
    """

    method: str
    seeds: int
    entries: tuple[Entry, ...]
    kind: LineKind = "method"
    failures: tuple[Failure, ...] = ()

    @property
    def counted(self) -> str:
        """The number of seeds for people: "2", or "2 of 3" where one failed; "" of what was not trained here."""
        if self.failures:
            return f"{self.seeds} of {self.seeds + len(self.failures)}"
        return str(self.seeds or "")

    @property
    def note(self) -> str:
        """What failed, whole: "failed: seed 1: the reason"; "" where nothing did."""
        reasons = (f"seed {failure.seed}: {' '.join(failure.reason.split())}" for failure in self.failures)
        return f"failed: {'; '.join(reasons)}" if self.failures else ""


@final
@dataclass(frozen=True)
class Table:
    """A table ready to be written.

    Args:
        remarks: Sentences on how to read the table.
        notes: {letter: what it marks}.
        verdict: Two sentences on the outcome.
    """

    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    remarks: tuple[str, ...]
    notes: dict[str, str]
    verdict: tuple[str, ...] = ()


NOTHING = Entry(None, "–")

COSTS: tuple[Column, ...] = (
    *(Column("relative_gain", f"relative gain, % ({kind})", metric=kind) for kind in KINDS),
    Column("parameters", "parameters"),
    Column("flops", "FLOPs"),
    Column("seconds_per_step", "s/step"),
)


def table_of(result: ComparisonResult) -> Table:
    """The table of a comparison: every metric with its gain over the baseline beside it, then relative gains and cost.

    Means are over seeds, spreads are sample standard deviations (divided by n - 1). Gains have the sign that makes +
    better. Each column has one number of decimals, chosen by its largest mean. Below each method stands what a paper prints
    for it, as printed; below all those that failed, and what a constant prediction scores, where that is known.
    """
    summaries = summarise(result)
    cells = summaries[0].cells if summaries else ()
    decimals = [decimals_for(summary.cells[i].mean for summary in summaries) for i in range(len(cells))]
    letters = _letters(summaries)
    columns = (*_metric_columns(cells), *COSTS)
    lines: list[Line] = []
    for summary in summaries:
        lines += [_line(summary, decimals, letters), *_printed_line(result, summary)]
    for method in dict.fromkeys(failure.method for failure in result.failed):
        if method not in result.methods:  # no seed of it could be trained
            failures = tuple(failure for failure in result.failed if failure.method == method)
            lines.append(Line(method, 0, (NOTHING,) * len(columns), "failed", failures))
    if summaries and any(result.constant.values()):
        lines.append(_constant_line(result, cells, decimals))
    return Table(
        title=result.name,
        columns=columns,
        lines=tuple(lines),
        remarks=tuple(remarks_on(result, summaries)),
        notes={letter: reason for reason, letter in letters.items()},
        verdict=verdict_of(result),
    )


def _metric_columns(cells: Sequence[Cell]) -> tuple[Column, ...]:
    columns: list[Column] = []
    for cell in cells:
        head = f"{cell.task} {cell.metric} {ARROWS[cell.direction]}"
        columns.append(Column("metric", head, cell.task, metric=cell.metric, direction=cell.direction))
        columns.append(Column("gain", "gain", cell.task, metric=cell.metric, direction=cell.direction))
    return tuple(columns)


def _line(summary: MethodSummary, decimals: Sequence[int], letters: Mapping[str, str]) -> Line:
    entries: list[Entry] = []
    for cell, places in zip(summary.cells, decimals, strict=True):
        marks = tuple(dict.fromkeys(letters[mark.reason] for mark in cell.marks))
        entries.append(_measured(cell.mean, cell.spread, decimals=places, marks=marks))
        entries.append(_gained(cell.gained, places, letters))
    seconds = summary.seconds_per_step
    entries += [_gained(summary.gains.get(kind), 2, letters) for kind in KINDS]
    entries += [Entry(float(count), short(count)) for count in (summary.parameters, summary.flops)]
    entries.append(NOTHING if seconds is None else Entry(seconds, fixed(seconds, decimals_for([seconds]))))
    return Line(summary.method, len(summary.seeds), tuple(entries), failures=summary.failed)


def _measured(mean: float | None, spread: float | None, *, decimals: int, marks: tuple[str, ...] = ()) -> Entry:
    if mean is None:
        return Entry(None, NOTHING.text, marks=marks)
    text = fixed(mean, decimals)
    return Entry(mean, text if spread is None else f"{text} ± {fixed(spread, decimals)}", spread, marks)


def _gained(gain: Gain | None, decimals: int, letters: Mapping[str, str]) -> Entry:
    if gain is None:
        return NOTHING
    marks = (letters[DISTINGUISHABLE],) if gain.distinguishable else ()
    text, interval = signed(gain.value, decimals), interval_of(gain)
    if interval is None:
        return Entry(gain.value, text, marks=marks)
    ends = ", ".join(signed(end, decimals) for end in interval)
    return Entry(gain.value, text, marks=marks, low=interval.low, high=interval.high, interval=f"[{ends}]")


def _printed_line(result: ComparisonResult, summary: MethodSummary) -> list[Line]:
    """The line of a paper below a method that it prints numbers for: no spread, no gain, no cost."""
    printed = {} if result.printed is None else result.printed.rows.get(summary.method, {})
    values = [printed.get(cell.task, {}).get(cell.metric) for cell in summary.cells]
    if all(value is None for value in values):
        return []
    pairs = [(NOTHING if value is None else Entry(value, str(value)), NOTHING) for value in values]
    entries = [entry for pair in pairs for entry in pair]
    return [Line(f"{summary.method}, {BESIDE}", 0, (*entries, *(NOTHING for _ in COSTS)), "printed")]


def _constant_line(result: ComparisonResult, cells: Sequence[Cell], decimals: Sequence[int]) -> Line:
    """What the best constant prediction scores: whatever does not beat it has learned nothing from the picture."""
    entries: list[Entry] = []
    for cell, places in zip(cells, decimals, strict=True):
        entries += [_measured(result.constant.get(cell.task, {}).get(cell.metric), None, decimals=places), NOTHING]
    return Line(CONSTANT, 0, (*entries, *(NOTHING for _ in COSTS)), "constant")


def _letters(summaries: Sequence[MethodSummary]) -> dict[str, str]:
    """{reason: letter}, in the order of the table: a to z, then a1, b1, ..."""
    reasons = dict.fromkeys(mark.reason for summary in summaries for cell in summary.cells for mark in cell.marks)
    gains = [gain for s in summaries for gain in (*(cell.gained for cell in s.cells), *s.gains.values())]
    if any(gain is not None and gain.distinguishable for gain in gains):
        reasons[DISTINGUISHABLE] = None
    return {reason: chr(ord("a") + i % 26) + (str(i // 26) if i >= 26 else "") for i, reason in enumerate(reasons)}
