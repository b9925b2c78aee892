"""How sure a gain is: over test images by paired bootstrap, over seeds by Student's t.

Bootstrap: how much a gain within one seed owes to the images it was measured on. Efron and Tibshirani (1993), An
Introduction to the Bootstrap, chapters 8 and 13: percentile intervals.
Seeds as points: what paired differences between two methods say of trainings with further seeds.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from taskweave.metrics.gain import Direction, Directions, GainKind, shares
from taskweave.metrics.per_image import PerImage

RESAMPLES = 1000
LEVEL = 0.95
LEAST_SEEDS = 3
"""Under so many seeds nothing is called a difference."""
_SEED = 20161
"""Any fixed number: the same comparison gives the same intervals."""
_AT_ONCE = 4_000_000
"""Weights drawn at once: 32 MB."""
_DEFINED = 0.95
"""An interval needs this share of resamples on which the gain is defined."""

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """Both ends of a 95 % interval."""

    low: float
    high: float


@final
@dataclass(frozen=True)
class Resampled:
    """One column of one run on resampled test images.

    Args:
        images: Digest of the test images in order; results of other images are never paired with these.
        observed: {metric: value on the original images}.
        scores: {metric: (resamples,)}, NaN where undefined.
    """

    images: str
    observed: dict[str, float]
    scores: dict[str, Floats]


def resample(each: PerImage, images: str, *, resamples: int = RESAMPLES) -> Resampled:
    """Compute a column's metrics on `resamples` bootstrap samples, each of as many images as there are, with replacement.

    The samples depend only on `images`. Every method and task tested on the same images therefore gets the same samples,
    which is what pairs them.

    Args:
        images: A digest of the images' keys in order.

    Raises:
        ValueError: The column has no images, or `resamples` is under 2.
    """
    if each.count < 1 or resamples < 2:
        raise ValueError(
            f"a bootstrap needs images and 2 or more resamples, got {each.count} images, {resamples} resamples"
        )
    observed = each.scores(np.ones((1, each.count), dtype=np.int64))
    parts = [each.scores(weights) for weights in _draws(each.count, images, resamples)]
    scores = {metric: np.concatenate([part[metric] for part in parts]) for metric in observed}
    return Resampled(images, {metric: float(value[0]) for metric, value in observed.items()}, scores)


def _draws(count: int, images: str, resamples: int) -> Iterator[NDArray[np.int64]]:
    """(some, count) each, `resamples` rows in all: how often every image was drawn."""
    known_by = int.from_bytes(hashlib.sha256(images.encode()).digest()[:16], "big")
    generator = np.random.default_rng([_SEED, known_by])
    at_once = max(1, _AT_ONCE // count)
    for first in range(0, resamples, at_once):
        rows = min(at_once, resamples - first)
        drawn = generator.integers(count, size=(rows, count)) + count * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)


def metric_interval(new: Resampled, base: Resampled, metric: str, direction: Direction) -> Interval | None:
    """Return the interval of the gain in one metric, in its unit, + for better; None if undefined on too many resamples.

    Raises:
        ValueError: The results are of different images, or resampled unequally often, and cannot be paired.
    """
    check_paired(new, base)
    sign = 1.0 if direction == "higher" else -1.0
    return percentiles(sign * (new.scores[metric] - base.scores[metric]))


def relative_interval(
    new: Mapping[str, Resampled], base: Mapping[str, Resampled], directions: Directions, *, kind: GainKind
) -> Interval | None:
    """Return the interval of the relative gain over all metrics in `directions`, in percent; None if undefined too often.

    See `taskweave.metrics.gain.relative_gain`. Columns on the same images share their bootstrap samples; columns on other
    images have their own.

    Args:
        new: {column: its resampled metrics}.
        base: As `new`, of the baseline.

    Raises:
        ValueError: Two results cannot be paired; see `check_paired`.
    """
    total: Floats = np.zeros(())
    for column, of in shares(directions, kind=kind).items():
        check_paired(new[column], base[column])
        for metric, share in of.items():
            before, after = base[column].scores[metric], new[column].scores[metric]
            sign = 1.0 if directions[column][metric] == "higher" else -1.0
            with np.errstate(divide="ignore", invalid="ignore"):
                gain = np.where(before > 0, sign * (after - before) / before, np.nan)
            total = total + 100.0 * share * gain
    return percentiles(total)


def check_paired(new: Resampled, base: Resampled) -> None:
    """Check that two results can be paired.

    Raises:
        ValueError: They are of different images, or have different numbers of resamples.
    """
    if new.images != base.images:
        raise ValueError(
            f"only results of the same test images can be paired, got images known by {new.images!r} and {base.images!r}; "
            "measure both runs on one test part"
        )
    counts = {values.size for of in (new, base) for values in of.scores.values()}
    if len(counts) > 1:
        raise ValueError(f"results to be paired need equally many resamples, got {sorted(counts)}")


def percentiles(values: Floats) -> Interval | None:
    """The percentile interval of bootstrap values (resamples,); None where fewer than 95 % of them are numbers."""
    known = values[np.isfinite(values)]
    if known.size < _DEFINED * values.size:
        return None
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))


def seed_interval(differences: Sequence[float]) -> Interval | None:
    """The 95 % t-interval of the mean of paired differences, one per seed; None under two.

    mean -+ t(0.975, n - 1) s / sqrt(n), s the sample standard deviation. It takes the differences as normally distributed,
    which a handful cannot show.
    """
    if len(differences) < 2:
        return None
    from scipy.special import stdtrit  # the quantiles of Student's t, without importing all of scipy.stats

    middle, count = fmean(differences), len(differences)
    half = float(stdtrit(count - 1, (1 + LEVEL) / 2)) * stdev(differences) / math.sqrt(count)
    return Interval(middle - half, middle + half)


def is_distinguishable(differences: Sequence[float]) -> bool | None:
    """Whether their t-interval leaves 0 out; None under three seeds, when nothing is called a difference."""
    interval = seed_interval(differences)
    if interval is None or len(differences) < LEAST_SEEDS:
        return None
    return interval.low > 0 or interval.high < 0
