"""From rows to the numbers of a table: mean and spread over seeds, gain over the baseline, average relative gain."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import final

from taskweave.evaluation.results import ComparisonResult, Direction, Mark, Row
from taskweave.metrics.gain import GainKind, relative_gain

GAIN_KIND: GainKind = "task_mean"
"""The kind of average relative gain: over the metrics of a task, then over tasks; in percent, + is better."""


@final
@dataclass(frozen=True)
class Cell:
    """One metric of one method.

    mean, spread: over seeds; spread is the sample deviation, None with one seed.
    gain: mean over the seeds that both have of (method - baseline), + is better; None for the baseline itself.
    """

    task: str
    metric: str
    direction: Direction
    mean: float | None
    spread: float | None
    gain: float | None
    marks: tuple[Mark, ...]


@final
@dataclass(frozen=True)
class MethodSummary:
    """One line of the table. relative_gain: percent, see GAIN_KIND; None for the baseline or without one."""

    method: str
    seeds: tuple[int, ...]
    cells: tuple[Cell, ...]
    relative_gain: float | None
    parameters: int
    flops: int
    seconds_per_step: float | None


def summarise(result: ComparisonResult) -> tuple[MethodSummary, ...]:
    """One summary per method, in the order of the recipe."""
    return tuple(_summary(result, method) for method in result.methods)


def _summary(result: ComparisonResult, method: str) -> MethodSummary:
    rows = result.rows_of(method)
    base = () if method == result.baseline else tuple(row for row in result.rows if row.method == result.baseline)
    cells = tuple(
        _cell(rows, base, task, metric=metric, direction=direction)
        for task, metrics in result.directions.items()
        for metric, direction in metrics.items()
    )
    seconds = [row.seconds_per_step for row in rows if row.seconds_per_step is not None]
    return MethodSummary(
        method=method,
        seeds=tuple(row.seed for row in rows),
        cells=cells,
        relative_gain=_relative_gain(rows, base, without=(*result.further, *result.parts)),
        parameters=rows[0].parameters,
        flops=rows[0].flops,
        seconds_per_step=fmean(seconds) if seconds else None,
    )


def _value(row: Row, task: str, metric: str) -> float | None:
    return row.metrics.get(task, {}).get(metric)


def _cell(rows: Sequence[Row], base: Sequence[Row], task: str, *, metric: str, direction: Direction) -> Cell:
    values = [v for row in rows if (v := _value(row, task, metric)) is not None]
    sign = 1.0 if direction == "higher" else -1.0
    single = {row.seed: _value(row, task, metric) for row in base}
    gains = [
        sign * (v - b)
        for row in rows
        if (v := _value(row, task, metric)) is not None and (b := single.get(row.seed)) is not None
    ]
    return Cell(
        task=task,
        metric=metric,
        direction=direction,
        mean=fmean(values) if values else None,
        spread=stdev(values) if len(values) > 1 else None,
        gain=fmean(gains) if gains else None,
        marks=tuple(dict.fromkeys(m for row in rows for m in row.marks if (m.task, m.metric) == (task, metric))),
    )


def _relative_gain(rows: Sequence[Row], base: Sequence[Row], *, without: Sequence[str]) -> float | None:
    """Percent: the mean over the seeds that both have of `taskweave.metrics.gain.relative_gain`, some columns left out."""
    single = {row.seed: row for row in base}
    gains = [_gain_of(row, single[row.seed], without) for row in rows if row.seed in single]
    known = [gain for gain in gains if gain is not None and math.isfinite(gain)]
    return 100.0 * fmean(known) if known else None


def _gain_of(row: Row, base: Row, without: Sequence[str]) -> float | None:
    both: dict[str, dict[str, Direction]] = {
        task: {m: d for m, d in metrics.items() if None not in (_value(row, task, m), _value(base, task, m))}
        for task, metrics in row.directions.items()
        if task not in without
    }
    both = {task: metrics for task, metrics in both.items() if metrics}
    return relative_gain(_numbers(row), _numbers(base), both, kind=GAIN_KIND) if both else None


def _numbers(row: Row) -> dict[str, dict[str, float]]:
    return {t: {m: math.nan if v is None else v for m, v in values.items()} for t, values in row.metrics.items()}
