"""Numbers by class and attribute, kept with each run: ``classes.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from taskweave.results.comparison import write_text

if TYPE_CHECKING:
    from torch import Tensor
    from torchmetrics import Metric

CLASSES = "classes.json"
ByClass = dict[str, dict[str, float | None]]
"""{metric: {class: value}}; None where a metric is undefined for a class."""


def keep_classes(measured: Mapping[str, Metric], classes: Mapping[str, tuple[str, ...]], folder: Path) -> None:
    """Write the numbers by class of some columns beside a run's weights; those of other columns stay.

    measured: {column: its metric, which has seen all images}.  classes: {column: its task's}; those of a
    task that has no names for them are numbered from 1.
    """
    from taskweave.metrics.metric import PerImageMetric

    found = {
        column: {name: _named(values, classes[column]) for name, values in metric.class_scores().items()}
        for column, metric in measured.items()
        if isinstance(metric, PerImageMetric)
    }
    kept = {column: numbers for column, numbers in found.items() if numbers}
    if kept:
        write_text(folder / CLASSES, json.dumps({**_read(folder), **kept}, indent=1) + "\n")


def read_classes(folder: Path, column: str) -> ByClass:
    """{metric: {class: value}} of a column that a run's folder holds, in the metrics' units; {} where it has none.

    A metric's name stands for the values whose mean over classes it is, such as the classes' IU for "mIoU"; the IU of a
    segmentation that is averaged over images goes by "IoU". Raises ValueError for a damaged file.
    """
    return _read(folder).get(column, {})


def _named(values: Tensor, names: tuple[str, ...]) -> dict[str, float | None]:
    named = names or tuple(f"class {number}" for number in range(1, len(values) + 1))
    return {name: None if x != x else float(x) for name, x in zip(named, values.tolist(), strict=True)}


def _read(folder: Path) -> dict[str, ByClass]:
    path = folder / CLASSES
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ValueError(
            f"{path} is damaged ({error}); delete it and images.npz beside it, and the next comparison measures this run "
            "anew from its weights"
        ) from error
