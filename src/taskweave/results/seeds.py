"""Seeds as points: what paired differences between two methods say of trainings with further seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from taskweave.results.bootstrap import LEVEL, Interval

LEAST_SEEDS = 3
"""Under so many seeds nothing is called a difference."""


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
