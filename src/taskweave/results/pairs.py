"""Rows of one seed side by side: a method's and the baseline's."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import final

from taskweave.metrics.gain import GainKind, metric_gains, relative_gain
from taskweave.results.bootstrap import Interval, Resampled, metric_interval, relative_interval
from taskweave.results.comparison import ComparisonResult, Direction, Row

Scored = Mapping[str, Resampled]
"""By column: a row's metrics on resampled test images; columns without such are left out."""


@final
@dataclass(frozen=True)
class Pair:
    """A method and the baseline with one seed.

    new_scored, base_scored: of the columns that may be paired, that is on the same images.
    """

    new: Row
    base: Row
    new_scored: Scored = field(default_factory=dict)
    base_scored: Scored = field(default_factory=dict)

    def gain(self, task: str, metric: str, direction: Direction) -> float | None:
        """The method minus the baseline, + where better; None where either has no such number."""
        after, before = _value(self.new, task, metric), _value(self.base, task, metric)
        if after is None or before is None:
            return None
        return after - before if direction == "higher" else before - after

    def interval(self, task: str, metric: str, direction: Direction) -> Interval | None:
        """Of `gain`, by bootstrap over the test images; None where the runs' images are not known to be the same."""
        scored = self._scored(task, metric)
        return None if scored is None else metric_interval(*scored, metric, direction)

    def relative_gain(self, kind: GainKind, without: Collection[str] = ()) -> float | None:
        """In percent, over the metrics that both rows have; None without such. without: columns that do not count."""
        both = self._both(without)
        if not both:
            return None
        gain = relative_gain(_numbers(self.new), _numbers(self.base), both, kind=kind)
        return 100.0 * gain if math.isfinite(gain) else None

    def relative_interval(self, kind: GainKind, without: Collection[str] = ()) -> Interval | None:
        """Of `relative_gain`; None where one of its metrics is not known by image."""
        both = self._both(without)
        known = all(self._scored(task, metric) is not None for task, metrics in both.items() for metric in metrics)
        return relative_interval(self.new_scored, self.base_scored, both, kind=kind) if both and known else None

    def task_gains(self, without: Collection[str] = ()) -> dict[str, float]:
        """{task: mean relative gain of its metrics, percent}: "task_mean" is their mean; undefined ones are left out."""
        gains = metric_gains(_numbers(self.new), _numbers(self.base), self._both(without))
        means = {task: 100.0 * math.fsum(of.values()) / len(of) for task, of in gains.items()}
        return {task: mean for task, mean in means.items() if math.isfinite(mean)}

    def _both(self, without: Collection[str]) -> dict[str, dict[str, Direction]]:
        both: dict[str, dict[str, Direction]] = {
            task: {m: way for m, way in metrics.items() if self.gain(task, m, way) is not None}
            for task, metrics in self.new.directions.items()
            if task not in without
        }
        return {task: metrics for task, metrics in both.items() if metrics}

    def _scored(self, task: str, metric: str) -> tuple[Resampled, Resampled] | None:
        new, base = self.new_scored.get(task), self.base_scored.get(task)
        if new is None or base is None or new.images != base.images:
            return None
        return (new, base) if metric in new.scores and metric in base.scores else None


def pairs_of(
    result: ComparisonResult, method: str, scored: Mapping[tuple[str, int], Scored] | None = None
) -> tuple[Pair, ...]:
    """A method's rows beside the baseline's with the same seed, by seed; () for the baseline itself.

    scored: {(method, seed): what is known by image}.
    """
    scored = scored or {}
    base = {row.seed: row for row in result.rows if row.method == result.baseline and method != result.baseline}
    return tuple(
        Pair(row, base[row.seed], scored.get((method, row.seed), {}), scored.get((result.baseline, row.seed), {}))
        for row in result.rows_of(method)
        if row.seed in base
    )


def _value(row: Row, task: str, metric: str) -> float | None:
    return row.metrics.get(task, {}).get(metric)


def _numbers(row: Row) -> dict[str, dict[str, float]]:
    return {t: {m: math.nan if v is None else v for m, v in values.items()} for t, values in row.metrics.items()}
