"""Whether several metrics of several tasks got better, as one number (delta-m)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

Direction = Literal["higher", "lower"]
"""Which way a metric is better."""

Scores = Mapping[str, Mapping[str, float]]
"""{task: {metric: value}}."""

Directions = Mapping[str, Mapping[str, Direction]]
"""{task: {metric: which way is better}}."""

GainKind = Literal["task_mean", "flat_mean"]


def metric_gains(new: Scores, base: Scores, directions: Directions) -> dict[str, dict[str, float]]:
    """Return the relative gain of every metric in `directions`; positive is better, .01 is one percent.

    g = s * (new - base) / base, with s = 1 where higher is better and -1 where lower is.
    NaN if the base is not a positive number (nothing can be relative to 0) or the new value is NaN.

    Raises:
        ValueError: `new` or `base` lacks a metric.
    """
    gains: dict[str, dict[str, float]] = {}
    for task, metrics in directions.items():
        gains[task] = {
            metric: _gain(_value(new, task, metric, "new"), _value(base, task, metric, "base"), direction)
            for metric, direction in metrics.items()
        }
    return gains


def relative_gain(new: Scores, base: Scores, directions: Directions, *, kind: GainKind = "task_mean") -> float:
    """Return delta-m, the average relative gain of `new` over `base`; positive is better, .01 is one percent.

    Only the metrics in `directions` count. The result is NaN if one of their gains is NaN: none is left out silently.

    Args:
        kind: How the gains are averaged. With g_tm the gain of metric m of task t (see `metric_gains`), T tasks and M_t
            metrics of task t:
            "task_mean": (1/T) sum_t (1/M_t) sum_m g_tm. Every task weighs the same. With one metric per task this is
            delta-m of Maninis et al. (2019, eq. 4); with several, LibMTL's.
            "flat_mean": sum_tm g_tm / sum_t M_t. Every metric weighs the same, so a task with more metrics weighs more.
            The tables of Nash-MTL and CAGrad print **minus** this (there lower is better).

    Raises:
        ValueError: A task has no metric, `kind` is unknown, or `new` or `base` lacks a metric.
    """
    gains = metric_gains(new, base, directions)
    return math.fsum(
        share * gains[task][metric] for task, of in shares(directions, kind=kind).items() for metric, share in of.items()
    )


def shares(directions: Directions, *, kind: GainKind = "task_mean") -> dict[str, dict[str, float]]:
    """Return the weight of each metric's gain in `relative_gain`; the weights sum to 1.

    Args:
        kind: "task_mean": 1 / (T M_t). "flat_mean": 1 / sum_t M_t.

    Raises:
        ValueError: A task has no metric, or `kind` is unknown.
    """
    if not directions or not all(directions.values()):
        raise ValueError(f"relative_gain needs at least one metric for every task, got directions {dict(directions)}")
    if kind not in ("task_mean", "flat_mean"):
        raise ValueError(f'relative_gain has the kinds "task_mean" and "flat_mean", got {kind!r}')
    metrics = sum(len(of) for of in directions.values())
    return {
        task: dict.fromkeys(of, 1 / (len(directions) * len(of)) if kind == "task_mean" else 1 / metrics)
        for task, of in directions.items()
    }


def _gain(new: float, base: float, direction: Direction) -> float:
    if direction not in ("higher", "lower"):
        raise ValueError(f'a direction is "higher" or "lower", got {direction!r}')
    if not base > 0:
        return math.nan
    change = (new - base) / base
    return change if direction == "higher" else -change


def _value(scores: Scores, task: str, metric: str, side: str) -> float:
    if task not in scores or metric not in scores[task]:
        there = {name: sorted(metrics) for name, metrics in scores.items()}
        raise ValueError(f"the {side} scores have no metric {metric!r} of task {task!r}; they have {there}")
    return float(scores[task][metric])
