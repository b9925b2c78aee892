"""Gains by class: which classes a method is ahead in, beside how many labels each has (``labels.json``)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Final, final

from pydantic import BaseModel, ConfigDict

from taskweave.files import write_text
from taskweave.results.comparison import ComparisonResult, Row
from taskweave.results.folder import runs_of
from taskweave.results.run_files import ByClass, read_classes

LABELS = "labels.json"
LEAST: Final = (10, 20)
"""Of so many classes with the fewest labels the cross-stitch paper gives the mean gain."""


@final
class LabelCounts(BaseModel):
    """Label counts of one task's classes in the train part.

    Args:
        unit: What `labels` counts, as in the cross-stitch paper: pixels of a segmentation (figure 6), true boxes that have
            an attribute (figure 5), objects of a detection, images of a classification.
        labels: {class: number of labels}.
        images: {class: number of images with at least one such label}.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: str
    labels: dict[str, int]
    images: dict[str, int]


def keep_labels(counts: Mapping[str, LabelCounts], known_by: str, folder: Path) -> None:
    """Write the label counts of every task to a comparison's folder.

    Args:
        counts: {task: its label counts}.
        known_by: A hash of the data and tasks that were counted.
    """
    content = {"known_by": known_by, "tasks": {name: one.model_dump() for name, one in counts.items()}}
    write_text(folder / LABELS, json.dumps(content, indent=1) + "\n")


def read_labels(folder: Path) -> dict[str, LabelCounts]:
    """Read {task: its label counts} from a comparison's folder; {} if it has none.

    Raises:
        ValueError: The file is damaged.
    """
    kept = _read(folder)
    return {} if kept is None else kept[1]


def read_labels_of(known_by: str, folder: Path) -> dict[str, LabelCounts] | None:
    """Read the label counts of the data and tasks with the hash `known_by`; None if they were not counted.

    Raises:
        ValueError: The file is damaged.
    """
    kept = _read(folder)
    return None if kept is None or kept[0] != known_by else kept[1]


def _read(folder: Path) -> tuple[str, dict[str, LabelCounts]] | None:
    path = folder / LABELS
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return content["known_by"], {name: LabelCounts.model_validate(own) for name, own in content["tasks"].items()}
    except (ValueError, KeyError) as error:
        raise ValueError(
            f"{path} is damaged ({error}); delete it, and the next comparison counts the labels anew"
        ) from error


@final
@dataclass(frozen=True)
class ClassGain:
    """How much better a method is than the baseline in one class; + is better.

    Args:
        labels: Number of labels in the train part.
        seeds: The gain with every seed that both have, in the metric's unit.
    """

    name: str
    labels: int
    seeds: tuple[float, ...]

    @property
    def mean(self) -> float | None:
        return fmean(self.seeds) if self.seeds else None


@final
@dataclass(frozen=True)
class ClassGains:
    """Gains by class in one metric of one column.

    Args:
        unit: What the labels in `methods` count.
        methods: {method: its gains}, without the baseline.
    """

    column: str
    metric: str
    unit: str
    methods: dict[str, list[ClassGain]]


Scores = Mapping[int, Mapping[str, float | None]]
"""{seed: {class: score}}"""


def gains_by_class(method: Scores, baseline: Scores, labels: Mapping[str, int], *, lower: bool = False) -> list[ClassGain]:
    """Return the gain of every class that has labels or a score, fewest labels first; ties in the order of `labels`.

    A class without a score in a method or its baseline has no gain there.

    Args:
        lower: Whether a lower score is better.
    """
    sign = -1.0 if lower else 1.0
    names = dict.fromkeys([*labels, *(name for scores in method.values() for name in scores)])
    found = []
    for name in names:
        pairs = [(method[seed].get(name), baseline[seed].get(name)) for seed in method if seed in baseline]
        gains = [sign * (a - b) for a, b in pairs if a is not None and b is not None and math.isfinite(a - b)]
        found.append(ClassGain(name, labels.get(name, 0), tuple(gains)))
    return sorted(found, key=lambda gain: gain.labels)


def least_labelled(gains: Sequence[ClassGain], count: int) -> float | None:
    """The mean gain of the `count` classes with the fewest labels that have one; None where not so many have.

    Classes without a label in the train part are left out: nothing was learned of them.
    """
    ordered = sorted((gain for gain in gains if gain.labels > 0), key=lambda gain: gain.labels)
    known = [gain.mean for gain in ordered if gain.mean is not None]
    return fmean(known[:count]) if len(known) >= count > 0 else None


def class_gain_tables(result: ComparisonResult, folder: Path) -> list[ClassGains]:
    """Return gains by class for every test and metric that has them; train and validation parts are left out.

    There are gains where the metric is known by class, the train labels are counted and some method has a gain.

    Args:
        folder: The comparison's folder, with ``labels.json``; the runs lie beside it.
    """
    counts = read_labels(folder)
    scores = {
        (method, column): _scores(result.rows_of(method), column, folder)
        for method in result.methods
        for column in result.columns
    }
    found: list[ClassGains] = []
    for column, task in result.columns.items():
        if task not in counts or column in result.parts:
            continue
        before = scores.get((result.baseline, column), {})
        for metric in dict.fromkeys(metric for of in before.values() for metric in of):
            lower = result.directions.get(column, {}).get(metric) == "lower"
            of_metric = {
                method: {seed: of[metric] for seed, of in scores[method, column].items() if metric in of}
                for method in result.methods
            }
            base = {seed: of[metric] for seed, of in before.items() if metric in of}
            gains = {
                method: gains_by_class(own, base, counts[task].labels, lower=lower)
                for method, own in of_metric.items()
                if method != result.baseline
            }
            gains = {method: own for method, own in gains.items() if any(gain.seeds for gain in own)}
            if gains:
                found.append(ClassGains(column, metric, counts[task].unit, gains))
    return found


def least_labelled_means(tables: Sequence[ClassGains]) -> dict[str, Any]:
    """Return the mean gains over classes with train labels: all of them, and those with the fewest labels.

    A class's gain is its mean over seeds. A mean over the fewest-labelled classes is None if fewer classes have a gain.

    Returns:
        {column: {metric: {"unit", "methods": {method: {"seeds", "classes", "all", "least_labelled": {"10", "20"}}}}}},
            where "classes" is how many classes have a gain and "all" is the mean over these.
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


def _scores(rows: Sequence[Row], column: str, folder: Path) -> dict[int, ByClass]:
    """{seed: {metric: {class: value}}}"""
    found: dict[int, ByClass] = {}
    for row in rows:
        for run in runs_of(row, folder):
            found.setdefault(row.seed, {}).update(read_classes(run, column))
    return found
