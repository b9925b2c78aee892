"""The one table of a comparison, from which Markdown, CSV and the terminal's are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, final

from taskweave.evaluation.results import ComparisonResult, Direction
from taskweave.evaluation.summary import GAIN_KIND, Cell, MethodSummary, summarise
from taskweave.reporting.numbers import decimals_for, fixed, short, signed

ARROWS: dict[Direction, str] = {"higher": "↑", "lower": "↓"}

Kind = Literal["metric", "gain", "relative_gain", "parameters", "flops", "seconds_per_step"]


@final
@dataclass(frozen=True)
class Column:
    """What a column shows.

    task, metric: of "metric" columns and of the "gain" columns beside them, else "".
    head: its title in words, with the direction's arrow.
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

    value, spread: unrounded; None where there is none.  text: as people read it, rounded, without its marks.
    marks: letters of the notes that it needs.
    """

    value: float | None
    text: str
    spread: float | None = None
    marks: tuple[str, ...] = ()


@final
@dataclass(frozen=True)
class Line:
    """One method: its label, the number of its seeds, an entry per column. 0 seeds: nothing was trained (a constant)."""

    method: str
    seeds: int
    entries: tuple[Entry, ...]


@final
@dataclass(frozen=True)
class Table:
    """A table ready to be written. remarks: sentences on how to read it.  notes: letter -> what it marks."""

    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    remarks: tuple[str, ...]
    notes: dict[str, str]


NOTHING = Entry(None, "–")
CONSTANT = "constant prediction"

COSTS: tuple[tuple[Kind, str], ...] = (
    ("relative_gain", "average relative gain, %"),
    ("parameters", "parameters"),
    ("flops", "FLOPs"),
    ("seconds_per_step", "s/step"),
)

_KINDS = {
    "task_mean": "over the metrics of a task, then over tasks",
    "flat_mean": "over all metrics of all tasks alike",
}


def table_of(result: ComparisonResult) -> Table:
    """The table of a comparison: every metric with its gain over the baseline beside it, then gain, size and cost.

    Means are over seeds, spreads are sample standard deviations (divided by n - 1). Gains have the sign that makes +
    better. Each column has one number of decimals, chosen by its largest mean. The last line is what a constant
    prediction scores, where that is known.
    """
    summaries = summarise(result)
    cells = summaries[0].cells if summaries else ()
    decimals = [decimals_for(summary.cells[i].mean for summary in summaries) for i in range(len(cells))]
    letters = _letters(summaries)
    lines = [_line(summary, decimals, letters) for summary in summaries]
    if summaries and any(result.constant.values()):
        lines.append(_constant_line(result, cells, decimals))
    return Table(
        title=result.name,
        columns=_columns(cells),
        lines=tuple(lines),
        remarks=_remarks(result, summaries),
        notes={letter: reason for reason, letter in letters.items()},
    )


def _columns(cells: Sequence[Cell]) -> tuple[Column, ...]:
    columns: list[Column] = []
    for cell in cells:
        head = f"{cell.task} {cell.metric} {ARROWS[cell.direction]}"
        columns.append(Column("metric", head, cell.task, metric=cell.metric, direction=cell.direction))
        columns.append(Column("gain", "gain", cell.task, metric=cell.metric, direction=cell.direction))
    return (*columns, *(Column(kind, head) for kind, head in COSTS))


def _line(summary: MethodSummary, decimals: Sequence[int], letters: Mapping[str, str]) -> Line:
    entries: list[Entry] = []
    for cell, places in zip(summary.cells, decimals, strict=True):
        marks = tuple(dict.fromkeys(letters[mark.reason] for mark in cell.marks))
        entries.append(_measured(cell.mean, cell.spread, decimals=places, marks=marks))
        entries.append(_gained(cell.gain, places))
    seconds = summary.seconds_per_step
    entries.append(_gained(summary.relative_gain, 2))
    entries += [Entry(float(count), short(count)) for count in (summary.parameters, summary.flops)]
    entries.append(NOTHING if seconds is None else Entry(seconds, fixed(seconds, decimals_for([seconds]))))
    return Line(summary.method, len(summary.seeds), tuple(entries))


def _measured(mean: float | None, spread: float | None, *, decimals: int, marks: tuple[str, ...] = ()) -> Entry:
    if mean is None:
        return Entry(None, NOTHING.text, marks=marks)
    text = fixed(mean, decimals)
    return Entry(mean, text if spread is None else f"{text} ± {fixed(spread, decimals)}", spread, marks)


def _gained(gain: float | None, decimals: int) -> Entry:
    return NOTHING if gain is None else Entry(gain, signed(gain, decimals))


def _constant_line(result: ComparisonResult, cells: Sequence[Cell], decimals: Sequence[int]) -> Line:
    """What the best constant prediction scores: whatever does not beat it has learned nothing from the picture."""
    entries: list[Entry] = []
    for cell, places in zip(cells, decimals, strict=True):
        entries += [_measured(result.constant.get(cell.task, {}).get(cell.metric), None, decimals=places), NOTHING]
    return Line(CONSTANT, 0, (*entries, *(NOTHING for _ in COSTS)))


def _letters(summaries: Sequence[MethodSummary]) -> dict[str, str]:
    """{reason: letter}, in the order of the table: a to z, then a1, b1, ..."""
    reasons = dict.fromkeys(mark.reason for summary in summaries for cell in summary.cells for mark in cell.marks)
    return {reason: chr(ord("a") + i % 26) + (str(i // 26) if i >= 26 else "") for i, reason in enumerate(reasons)}


def _remarks(result: ComparisonResult, summaries: Sequence[MethodSummary]) -> tuple[str, ...]:
    remarks = [
        "↑ higher is better, ↓ lower is better; shares in percent, angles in degrees, depth in metres (inverse as stored).",
        _spread_remark(summaries),
        f"gain: method minus {result.baseline} with the same seed, mean over seeds, signed so that + is better.",
        f"average relative gain: over {result.baseline}, the mean {_KINDS[GAIN_KIND]} ({GAIN_KIND}).",
        "parameters and FLOPs: of all networks a method needs for all tasks; FLOPs of one forward pass of one picture.",
    ]
    if any(result.constant.values()):
        remarks.append(f"{CONSTANT}: the best prediction that is the same for every pixel of every picture.")
    if result.further:
        remarks.append(
            f"{', '.join(result.further)}: tests on data that were never trained on, not counted in the average gain."
        )
    if result.parts:
        remarks.append(
            f"{', '.join(result.parts)}: measured on the pictures that were trained on, or on those held out of training; "
            "not counted in the average gain."
        )
    if result.missing:
        remarks.append(f"not trained yet: {'; '.join(result.missing)}.")
    return tuple(remarks)


def _spread_remark(summaries: Sequence[MethodSummary]) -> str:
    counts = [len(summary.seeds) for summary in summaries]
    if counts and max(counts) > 1:
        return (
            "mean ± sample standard deviation over seeds. No test was made: the table does not say whether a "
            "difference is more than chance."
        )
    return "one seed each, so no spread is known: the table does not say whether a difference is more than chance."
