"""How trainings went: losses and weights over the steps."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from taskweave.reporting.charts import draw_line, figure_with_legend, save_figure, tidy_axes

Curves = dict[str, tuple[list[int], list[float]]]
"""{task: (steps, values)}"""


def training_curves(logs: Mapping[str, Path], path: Path) -> Path:
    """One panel per task: the unweighted loss over the steps, one line per training.

    logs: label -> the ``log.csv`` of a run, whose columns are ``step`` and ``loss.<task>`` among others.
    Rows cut short by a crash and empty cells are left out. Returns `path`. Raises FileNotFoundError for a log that is not
    there, ValueError where no log holds a loss.
    """
    curves = {label: read_losses(log) for label, log in logs.items()}
    if not any(curves.values()):
        raise ValueError(f"no losses to draw: none of {[str(log) for log in logs.values()]} has a row with a loss")
    return _panels(curves, path, ylabel="loss, unweighted")


def weight_curves(logs: Mapping[str, Path], path: Path) -> Path:
    """One panel per task: the factor of its loss, or gradient, over the steps; one line per training.

    logs: as of `training_curves`; the columns are ``weight.<task>``. Returns `path`. Raises FileNotFoundError for a log
    that is not there, ValueError where no log holds a weight.
    """
    curves = {label: read_weights(log) for label, log in logs.items()}
    if not any(curves.values()):
        raise ValueError(f"no weights to draw: none of {[str(log) for log in logs.values()]} has a row with a weight")
    return _panels(curves, path, ylabel="weight")


def _panels(curves: Mapping[str, Curves], path: Path, *, ylabel: str) -> Path:
    tasks = list(dict.fromkeys(task for of in curves.values() for task in of))
    figure, styles = figure_with_legend((5.0 * len(tasks), 3.6), list(curves))
    for number, task in enumerate(tasks):
        axes = figure.add_subplot(1, len(tasks), number + 1)
        for label, of in curves.items():
            if task in of:
                draw_line(axes, *of[task], styles[label])
        axes.set(title=task, xlabel="step", ylabel=ylabel)
        tidy_axes(axes)
    return save_figure(figure, path)


def read_losses(log: Path) -> Curves:
    """{task: (steps, losses)} of a ``log.csv``."""
    return _read(log, "loss.")


def read_weights(log: Path) -> Curves:
    """{task: (steps, weights)} of a ``log.csv``."""
    return _read(log, "weight.")


def _read(log: Path, prefix: str) -> Curves:
    found: Curves = {}
    with log.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for column, text in row.items():
                # a short row has None for its missing cells; a long one has its surplus under None
                if isinstance(column, str) and column.startswith(prefix) and text and row["step"]:
                    steps, values = found.setdefault(column.removeprefix(prefix), ([], []))
                    steps.append(int(row["step"]))
                    values.append(float(text))
    return found
