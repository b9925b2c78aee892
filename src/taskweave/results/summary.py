"""From rows to the numbers of a table: mean and spread over seeds, gains over the baseline and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import final

from taskweave.metrics.gain import GainKind
from taskweave.results.comparison import ComparisonResult, Direction, Failure, Gain, Mark, Row
from taskweave.results.gains import GAIN_KIND, KINDS, known_gains


@final
@dataclass(frozen=True)
class Cell:
    """One metric of one method.

    Args:
        mean: Over seeds.
        spread: Sample standard deviation over seeds; None with one seed.
        gained: Gain over the baseline, see `Gain`; None for the baseline itself, or if no seed has both.
    """

    task: str
    metric: str
    direction: Direction
    mean: float | None
    spread: float | None
    gained: Gain | None
    marks: tuple[Mark, ...]

    @property
    def gain(self) -> float | None:
        """Mean over the seeds that both have of (method - baseline), + is better."""
        return None if self.gained is None else self.gained.value


@final
@dataclass(frozen=True)
class MethodSummary:
    """One line of the table.

    Args:
        gains: Relative gains by kind, in percent; empty for the baseline.
        failed: The seeds that could not be trained.
    """

    method: str
    seeds: tuple[int, ...]
    cells: tuple[Cell, ...]
    parameters: int
    flops: int
    seconds_per_step: float | None
    gains: dict[GainKind, Gain] = field(default_factory=dict)
    failed: tuple[Failure, ...] = ()

    @property
    def relative_gain(self) -> float | None:
        """Percent, of GAIN_KIND; None for the baseline or without one."""
        gain = self.gains.get(GAIN_KIND)
        return None if gain is None else gain.value


def summarise(result: ComparisonResult) -> tuple[MethodSummary, ...]:
    """One summary per method with a row, in the order of the recipe; its gains are `known_gains`."""
    gains = known_gains(result)
    return tuple(_summary(result, method, [gain for gain in gains if gain.method == method]) for method in result.methods)


def _summary(result: ComparisonResult, method: str, gains: Sequence[Gain]) -> MethodSummary:
    rows = result.rows_of(method)
    of_metric = {(gain.task, gain.metric): gain for gain in gains if gain.kind == "metric"}
    cells = tuple(
        _cell(rows, task, metric=metric, direction=direction, gained=of_metric.get((task, metric)))
        for task, metrics in result.directions.items()
        for metric, direction in metrics.items()
    )
    seconds = [row.seconds_per_step for row in rows if row.seconds_per_step is not None]
    return MethodSummary(
        method=method,
        seeds=tuple(row.seed for row in rows),
        cells=cells,
        parameters=rows[0].parameters,
        flops=rows[0].flops,
        seconds_per_step=fmean(seconds) if seconds else None,
        gains={kind: gain for kind in KINDS for gain in gains if gain.kind == kind},
        failed=tuple(failure for failure in result.failed if failure.method == method),
    )


def _cell(rows: Sequence[Row], task: str, *, metric: str, direction: Direction, gained: Gain | None) -> Cell:
    values = [v for row in rows if (v := row.metrics.get(task, {}).get(metric)) is not None]
    return Cell(
        task=task,
        metric=metric,
        direction=direction,
        mean=fmean(values) if values else None,
        spread=stdev(values) if len(values) > 1 else None,
        gained=gained,
        marks=tuple(dict.fromkeys(m for row in rows for m in row.marks if (m.task, m.metric) == (task, metric))),
    )
