"""What lies beside a run's weights: its record, detectors' curves, numbers by class, what units learned, and its logs."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from taskweave.files import write_text
from taskweave.metrics.per_image import Curve
from taskweave.results.comparison import Direction

if TYPE_CHECKING:
    from torch import Tensor
    from torchmetrics import Metric

RECORD, CURVES, CLASSES, UNITS = "run.json", "curves.json", "classes.json", "units.json"
LOG, VALIDATION, MONITOR = "log.csv", "validation.csv", "monitor.csv"
ByClass = dict[str, dict[str, float | None]]
"""{metric: {class: value}}; None where a metric is undefined for a class."""
_POINTS = 1000
_ANEW = "delete it and images.npz beside it, and the next comparison measures this run anew from its weights"


@final
class RunRecord(BaseModel):
    """The numbers of a finished run; a column is a task on one part of some data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    digest: str = Field(description="Hash of `content`, and the name of the run's folder.")
    seed: int
    tasks: tuple[str, ...]
    metrics: dict[str, dict[str, float | None]] = Field(description="{column: {metric: value}}.")
    directions: dict[str, dict[str, Direction]] = Field(description="{column: {metric: which way is better}}.")
    tests: dict[str, str] = Field(default={}, description="{column of a further test: what that test is known by}.")
    weighting: str = Field(default="", description="The kind of its weighting; '' where losses have fixed weights.")
    parameters: int
    flops: int
    seconds_per_step: float
    seconds: float
    steps: int
    content: dict[str, Any] = Field(description="All that determines the run.")


def read_record(run: Path) -> RunRecord | None:
    """Read what a run's folder holds.

    Returns:
        The record; None where the run is not finished.

    Raises:
        ValueError: The file cannot be read; the message says what to do.
    """
    path = run / RECORD
    if not path.is_file():
        return None
    try:
        return RunRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} cannot be read ({error}); delete its folder to train this run anew") from error


@final
@dataclass(frozen=True)
class PlaceLink:
    """What reaches the stream (or lane) `destination` from `source` at a connection.

    Args:
        own: Whether source and destination are the same.
        norm: ||W||_F / sqrt(C_t), see `taskweave.units.learned.LearnedLink`.
        relative: ||W|| divided by that of the destination's own feature, 1 for the own feature; None if nothing of the own
            feature passes.
        alphas: The weights, one per channel, block or layer; () for 1x1 convolutions.
    """

    place: str
    source: str
    destination: str
    own: bool
    norm: float
    relative: float | None
    alphas: tuple[float, ...] = ()

    @property
    def direction(self) -> str:
        return f"{self.source} → {self.destination}"


def keep_units(links: Sequence[PlaceLink], run: Path) -> None:
    """Write what a run's connections learned; nothing where there is nothing."""
    if links:
        write_text(run / UNITS, json.dumps([asdict(link) for link in links]) + "\n")


def read_units(run: Path) -> list[PlaceLink]:
    """Read what a run's connections learned; [] if it has none.

    Raises:
        ValueError: The file is damaged.
    """
    try:
        return [PlaceLink(**link | {"alphas": tuple(link["alphas"])}) for link in _read(run / UNITS, [])]
    except (KeyError, TypeError) as error:
        raise _damaged(run / UNITS, error) from error


def keep_curves(measured: Mapping[str, Metric], run: Path) -> None:
    """Write the curves that the metrics of some columns have; those of other columns stay.

    Curves are for looking at: of more than a thousand points, about a thousand are kept, closest together at the
    highest scores, where logarithmic axes show them. Numbers of tables are never computed from them.
    """
    found = {name: [asdict(_thinned(curve)) for curve in _curves(metric)] for name, metric in measured.items()}
    _add({name: curves for name, curves in found.items() if curves}, run / CURVES)


def read_curves(run: Path, column: str) -> list[Curve]:
    """Read the curves of a column; [] if it has none.

    Raises:
        ValueError: The file is damaged.
    """
    found = _read(run / CURVES, {}).get(column, [])
    return [Curve(**curve | {"x": tuple(curve["x"]), "y": tuple(curve["y"])}) for curve in found]  # JSON has lists


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


def keep_classes(measured: Mapping[str, Metric], classes: Mapping[str, tuple[str, ...]], run: Path) -> None:
    """Write the numbers by class of some columns; those of other columns stay.

    Args:
        measured: {column: its metric, which has seen all images}.
        classes: {column: its task's classes}; classes of a task that has no names for them are numbered from 1.
        run: The run's folder.
    """
    from taskweave.metrics.metric import PerImageMetric

    found = {
        column: {name: _named(values, classes[column]) for name, values in metric.class_scores().items()}
        for column, metric in measured.items()
        if isinstance(metric, PerImageMetric)
    }
    _add({column: numbers for column, numbers in found.items() if numbers}, run / CLASSES)


def read_classes(run: Path, column: str) -> ByClass:
    """Read {metric: {class: value}} of a column, in the metrics' units; {} if it has none.

    A metric's name stands for the values whose mean over classes it is, e.g. the classes' IU for "mIoU". For a segmentation
    whose IU is averaged over images the name is "IoU".

    Raises:
        ValueError: The file is damaged.
    """
    return dict(_read(run / CLASSES, {}).get(column, {}))


def _named(values: Tensor, names: tuple[str, ...]) -> dict[str, float | None]:
    named = names or tuple(f"class {number}" for number in range(1, len(values) + 1))
    return {name: None if x != x else float(x) for name, x in zip(named, values.tolist(), strict=True)}


def _add(found: Mapping[str, Any], path: Path) -> None:
    if found:
        write_text(path, json.dumps({**_read(path, {}), **found}) + "\n")


def _read(path: Path, empty: Any) -> Any:
    """What a JSON file holds, of the type of `empty`, which stands for no file."""
    if not path.is_file():
        return empty
    try:
        return type(empty)(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> ValueError:
    return ValueError(f"{path} is damaged ({error}); {_ANEW}")


Curves = dict[str, tuple[list[int], list[float]]]
"""{name: (steps, values)}"""


def read_losses(log: Path) -> Curves:
    """{task: (steps, losses)} of a ``log.csv``."""
    return _columns(log, "loss.")


def read_weights(log: Path) -> Curves:
    """{task: (steps, weights)} of a ``log.csv``."""
    return _columns(log, "weight.")


def read_validations(table: Path) -> Curves:
    """{"<task> <metric>": (steps, values)} of a ``validation.csv``."""
    found: Curves = {}
    with table.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["step"] and row["value"]:
                _add_point(found, f"{row['task']} {row['metric']}", row["step"], row["value"])
    return found


def read_gaps(log: Path) -> Curves:
    """{task: (steps, gaps)} of a ``monitor.csv``; 0.1 is a loss 10 % above the reference's."""
    return _columns(log, "gap.")


def read_cosines(log: Path) -> dict[str, Curves]:
    """{"<a> and <b>": {place: (steps, cosines)}} of a ``monitor.csv``."""
    found: dict[str, Curves] = {}
    for column, curve in _columns(log, "cosine.").items():
        place, _, pair = column.rpartition(".")
        found.setdefault(pair.replace("|", " and "), {})[place] = curve
    return found


def _columns(log: Path, prefix: str) -> Curves:
    """{name: (steps, values)} of the columns ``<prefix><name>``; empty cells are left out."""
    found: Curves = {}
    with log.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for column, text in row.items():
                # a short row has None for its missing cells; a long one has its surplus under None
                if isinstance(column, str) and column.startswith(prefix) and text and row["step"]:
                    _add_point(found, column.removeprefix(prefix), row["step"], text)
    return found


def _add_point(curves: Curves, name: str, step: str, value: str) -> None:
    steps, values = curves.setdefault(name, ([], []))
    steps.append(int(step))
    values.append(float(value))
