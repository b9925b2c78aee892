"""Every gain of a comparison over its baseline, with what is known of how sure it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Literal, get_args

from taskweave.metrics.gain import GainKind
from taskweave.results.bootstrap import Interval
from taskweave.results.comparison import ComparisonResult, Gain, SeedGain
from taskweave.results.pairs import Scored, pairs_of
from taskweave.results.seeds import is_distinguishable, seed_interval

KINDS: tuple[GainKind, ...] = get_args(GainKind)
GAIN_KIND: GainKind = "task_mean"
"""The kind of relative gain that a verdict goes by: over the metrics of a task, then over tasks."""


def known_gains(result: ComparisonResult) -> tuple[Gain, ...]:
    """The result's gains; of files from before there were such what the rows alone say, without intervals in a seed."""
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
