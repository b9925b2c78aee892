"""The curves behind the numbers of detectors, kept with each run and drawn for the comparison."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from taskweave.metrics.curve import Curve
from taskweave.results.comparison import write_text

if TYPE_CHECKING:
    from torchmetrics import Metric

CURVES = "curves.json"
_POINTS = 1000


def keep_curves(measured: Mapping[str, Metric], folder: Path) -> None:
    """Write the curves that the metrics of some columns have beside a run's weights; those of other columns stay.

    Curves are for looking at: of more than a thousand points, about a thousand are kept, closest together at the
    highest scores, where logarithmic axes show them. Numbers of tables are never computed from them.
    """
    found = {name: [asdict(_thinned(curve)) for curve in _curves(metric)] for name, metric in measured.items()}
    kept = {name: curves for name, curves in found.items() if curves}
    if kept:
        write_text(folder / CURVES, json.dumps({**_read(folder), **kept}))


def read_curves(folder: Path, column: str) -> list[Curve]:
    """The curves of a column that a run's folder holds; none where it has none."""
    return [_curve(curve) for curve in _read(folder).get(column, [])]


def _curves(metric: Metric) -> Sequence[Curve]:
    from taskweave.metrics.metric import PerImageMetric

    return metric.curves() if isinstance(metric, PerImageMetric) else ()


def _thinned(curve: Curve) -> Curve:
    """At most `_POINTS` points, the first and the last among them, ever further apart."""
    count = len(curve.x)
    if count <= _POINTS:
        return curve
    at = np.unique(np.geomspace(1, count, _POINTS).round().astype(int)) - 1
    return replace(curve, x=tuple(curve.x[i] for i in at), y=tuple(curve.y[i] for i in at))


def _read(folder: Path) -> dict[str, Any]:
    path = folder / CURVES
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _curve(stored: Mapping[str, Any]) -> Curve:
    curve = Curve(**stored)
    return replace(curve, x=tuple(curve.x), y=tuple(curve.y))  # JSON has lists
