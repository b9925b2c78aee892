"""Every gain of a comparison over its baseline, with what is known of how sure it is."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Literal, final, get_args

from taskweave.metrics.gain import GainKind, metric_gains, relative_gain
from taskweave.results.comparison import ComparisonResult, Direction, Gain, Row, SeedGain
from taskweave.results.intervals import (
    Interval,
    Resampled,
    is_distinguishable,
    metric_interval,
    relative_interval,
    seed_interval,
)

KINDS: tuple[GainKind, ...] = get_args(GainKind)
GAIN_KIND: GainKind = "task_mean"
"""The kind of relative gain that a verdict goes by: over the metrics of a task, then over tasks."""
Scored = Mapping[str, Resampled]
"""By column: a row's metrics on resampled test images; columns without such are left out."""


def known_gains(result: ComparisonResult) -> tuple[Gain, ...]:
    """The result's gains; where it has none yet, what the rows alone say, without intervals in a seed."""
    return result.gains or gains_of(result)


def gains_of(result: ComparisonResult, scored: Mapping[tuple[str, int], Scored] | None = None) -> tuple[Gain, ...]:
    """By method: the gain in every metric in column order, then both relative gains over the tasks' own tests.

    scored: {(method, seed): its columns' metrics on resampled images}; the gains of other rows have no interval within
    their seed. Gains that are undefined, such as one relative to 0, are left out. Without a baseline's row there is none.
    """
    return tuple(gain for method in result.methods for gain in _gains(result, method, scored))


def _gains(result: ComparisonResult, method: str, scored: Mapping[tuple[str, int], Scored] | None) -> Iterator[Gain]:
    pairs = pairs_of(result, method, scored)
    for task, metrics in result.directions.items():
        for metric, way in metrics.items():
            found = [_in_seed(p.new.seed, p.gain(task, metric, way), p.interval(task, metric, way)) for p in pairs]
            yield from _over_seeds(method, "metric", found, task=task, metric=metric)
    without = (*result.further, *result.parts)
    for kind in KINDS:
        found = [_in_seed(p.new.seed, p.relative_gain(kind, without), p.relative_interval(kind, without)) for p in pairs]
        yield from _over_seeds(method, kind, found)


def _in_seed(seed: int, value: float | None, interval: Interval | None) -> SeedGain | None:
    if value is None:
        return None
    low, high = interval or (None, None)
    return SeedGain(seed=seed, value=value, low=low, high=high)


def _over_seeds(
    method: str, kind: Literal["metric"] | GainKind, found: Sequence[SeedGain | None], *, task: str = "", metric: str = ""
) -> Iterator[Gain]:
    """One gain, or none where no seed has it."""
    seeds = tuple(one for one in found if one is not None)
    if not seeds:
        return
    values = [one.value for one in seeds]
    low, high = seed_interval(values) or (None, None)
    yield Gain(
        method=method,
        kind=kind,
        task=task,
        metric=metric,
        value=fmean(values),
        seeds=seeds,
        low=low,
        high=high,
        distinguishable=is_distinguishable(values),
    )


def interval_of(gain: Gain) -> Interval | None:
    """The one to show: over seeds where there are several, else over the test images of the one seed; None if unknown."""
    ends = (gain.low, gain.high) if len(gain.seeds) != 1 else (gain.seeds[0].low, gain.seeds[0].high)
    low, high = ends
    return None if low is None or high is None else Interval(low, high)


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
