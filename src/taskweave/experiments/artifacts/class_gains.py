"""Gains by class of a comparison's rows, from what is kept with their runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from taskweave.experiments.artifacts.class_labels import read_labels
from taskweave.experiments.artifacts.class_scores import ByClass, read_classes
from taskweave.experiments.columns import columns_of
from taskweave.experiments.plan import Entry
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.running import folder_of
from taskweave.reporting.class_gains import LEAST, ClassGain, gains_by_class, least_labelled
from taskweave.results.comparison import ComparisonResult


@final
@dataclass(frozen=True)
class ClassGains:
    """One metric of one column. unit: what the labels of `methods` count.  methods: all but the baseline."""

    column: str
    metric: str
    unit: str
    methods: dict[str, list[ClassGain]]


def class_gain_tables(
    methods: Mapping[str, Sequence[Entry]], result: ComparisonResult, recipe: Recipe, *, root: Path, folder: Path
) -> list[ClassGains]:
    """Of every test and metric with numbers by class, where the train labels are counted and some method has a gain.

    Train and validation parts are left out.
    methods: finished rows.  root: holds the runs.  folder: the comparison's own, with ``labels.json``.
    """
    labels, base = read_labels(folder), methods.get(result.baseline, ())
    found: list[ClassGains] = []
    for column in columns_of(recipe):
        if column.task not in labels or column.part != "test":
            continue
        before = _scores(base, column.name, root)
        for metric in dict.fromkeys(metric for scores in before.values() for metric in scores):
            lower = result.directions.get(column.name, {}).get(metric) == "lower"
            counted = labels[column.task]
            gains = {
                method: gains_by_class(
                    _of(metric, _scores(entries, column.name, root)), _of(metric, before), counted.labels, lower=lower
                )
                for method, entries in methods.items()
                if method != result.baseline
            }
            gains = {method: own for method, own in gains.items() if any(gain.seeds for gain in own)}
            if gains:
                found.append(ClassGains(column.name, metric, counted.unit, gains))
    return found


def least_labelled_means(tables: Sequence[ClassGains]) -> dict[str, Any]:
    """{column: {metric: {"unit", "methods": {method: {"seeds", "classes", "all", "least_labelled": {"10", "20"}}}}}}.

    Means of the classes' mean gains over seeds, of classes with train labels; None where fewer have one.
    classes: how many have one, of which "all" is the mean.
    """
    found: dict[str, Any] = {}
    for table in tables:
        own = {
            method: {
                "seeds": max(len(gain.seeds) for gain in gains),
                "classes": (known := sum(gain.labels > 0 for gain in gains if gain.seeds)),
                "all": least_labelled(gains, known),
                "least_labelled": {str(count): least_labelled(gains, count) for count in LEAST},
            }
            for method, gains in table.methods.items()
        }
        found.setdefault(table.column, {})[table.metric] = {"unit": table.unit, "methods": own}
    return found


def _scores(entries: Sequence[Entry], column: str, root: Path) -> dict[int, ByClass]:
    """{seed: {metric: {class: value}}}"""
    found: dict[int, ByClass] = {}
    for entry in entries:
        for run in entry.runs:
            found.setdefault(entry.seed, {}).update(read_classes(folder_of(run, root), column))
    return found


def _of(metric: str, scores: Mapping[int, ByClass]) -> dict[int, dict[str, float | None]]:
    return {seed: by_metric[metric] for seed, by_metric in scores.items() if metric in by_metric}
