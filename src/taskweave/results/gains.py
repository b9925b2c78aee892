"""Every gain of a comparison over its baseline, with what is known of how sure it is."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Literal, final, get_args

from taskweave.metrics.gain import GainKind, metric_gains, relative_gain
from taskweave.progress import Progress, Silent
from taskweave.results.comparison import ComparisonResult, Direction, Gain, Row, SeedGain
from taskweave.results.image_statistics import read_images, read_known_by
from taskweave.results.intervals import (
    RESAMPLES,
    Interval,
    Resampled,
    is_distinguishable,
    metric_interval,
    relative_interval,
    resample,
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
    """Return every method's gain in each metric, in column order, then both relative gains over the tasks' own tests.

    Undefined gains, e.g. relative to 0, are left out. Without a row of the baseline there are no gains.

    Args:
        scored: {(method, seed): its columns' metrics on resampled images}. Gains of other rows have no interval within
            their seed.
    """
    return tuple(gain for method in result.methods for gain in _gains(result, method, scored))


def _gains(result: ComparisonResult, method: str, scored: Mapping[tuple[str, int], Scored] | None) -> Iterator[Gain]:
    pairs = pairs_of(result, method, scored)
    for task, metrics in result.directions.items():
        for metric, way in metrics.items():
            found = [(p.new.seed, p.gain(task, metric, way), p.interval(task, metric, way)) for p in pairs]
            yield from _over_seeds(method, "metric", found, task=task, metric=metric)
    without = (*result.further, *result.parts)
    for kind in KINDS:
        found = [(p.new.seed, p.relative_gain(kind, without), p.relative_interval(kind, without)) for p in pairs]
        yield from _over_seeds(method, kind, found)


def _over_seeds(
    method: str,
    kind: Literal["metric"] | GainKind,
    found: Sequence[tuple[int, float | None, Interval | None]],
    *,
    task: str = "",
    metric: str = "",
) -> Iterator[Gain]:
    """One gain, or none where no seed has it. found: (seed, gain, its interval)."""
    known = [(seed, value, interval or (None, None)) for seed, value, interval in found if value is not None]
    seeds = tuple(SeedGain(seed=seed, value=value, low=ends[0], high=ends[1]) for seed, value, ends in known)
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
    low, high = (gain.low, gain.high) if len(gain.seeds) != 1 else (gain.seeds[0].low, gain.seeds[0].high)
    return None if low is None or high is None else Interval(low, high)


@final
@dataclass(frozen=True)
class Pair:
    """A method and the baseline with one seed.

    Args:
        new_scored: The method's columns that can be paired, that is, measured on the same images.
        base_scored: The baseline's.
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
        """Return the relative gain in percent over the metrics that both rows have; None if there are none.

        Args:
            without: Columns to leave out.
        """
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
    """Return a method's rows paired with the baseline's rows of the same seed, by seed; () for the baseline itself.

    Args:
        scored: {(method, seed): its columns' metrics on resampled images}.
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


_QUIET = 2.0
"""Seconds before progress is shown."""
_AGREES = 0.02
"""How far a number may be from the stored one: medians come from histograms of some width."""


def with_gains(
    result: ComparisonResult, folder: Path, *, progress: Progress | None = None, resamples: int = RESAMPLES
) -> ComparisonResult:
    """Return the result with every gain over its baseline and, where possible, its interval within each seed.

    Runs without per-image statistics, or with a damaged file (which is reported), have gains without such an interval.

    Args:
        folder: The folder of all results, which holds runs/.

    Raises:
        ValueError: `resamples` is under 2.
    """
    rows = [row for method in result.methods for pair in pairs_of(result, method) for row in (pair.base, pair.new)]
    wanted = {(row.method, row.seed): row for row in rows}
    watched = _Watched(progress or Silent(), len(wanted))
    scored: dict[tuple[str, int], Scored] = {}
    try:
        for key, row in wanted.items():
            scored[key] = _scored(row, folder, watched.progress, resamples)
            watched.advance()
    finally:
        watched.end()
    return result.model_copy(update={"gains": gains_of(result, scored)})


def _scored(row: Row, folder: Path, progress: Progress, resamples: int) -> dict[str, Resampled]:
    """{column: its metrics on resampled test images}, of those that are stored by image and agree with the row."""
    found: dict[str, Resampled] = {}
    for own in (folder / "runs" / run for run in row.runs):
        for column in row.metrics:
            try:
                images, known_by = read_images(own, column), read_known_by(own, column)
            except ValueError as error:
                progress.note(f"{error}; until then its gains have no interval over test images")
                break
            if images is not None and known_by is not None and images.count:
                found[column] = _agreeing(resample(images, known_by, resamples=resamples), row, column)
    return found


def _agreeing(scored: Resampled, row: Row, column: str) -> Resampled:
    """Without metrics that are not those of the row: they would be of other weights."""
    stated = row.metrics[column]
    agree = [
        metric
        for metric, value in scored.observed.items()
        if (number := stated.get(metric)) is not None and math.isclose(value, number, rel_tol=_AGREES)
    ]
    return Resampled(scored.images, scored.observed, {metric: scored.scores[metric] for metric in agree})


@final
class _Watched:
    """Progress that is shown only where it takes long."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress = progress
        self._total, self._done, self._shown, self._start = total, 0, False, time.monotonic()

    def advance(self) -> None:
        self._done += 1
        if self._shown:
            self.progress.advance(1)
        elif time.monotonic() - self._start > _QUIET:
            self._shown = True
            self.progress.begin("resampling test images", self._total, done=self._done)

    def end(self) -> None:
        if self._shown:
            self.progress.end()
