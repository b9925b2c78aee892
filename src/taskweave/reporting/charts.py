"""Charts: how trainings went, and how much each method gained."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from taskweave.reporting.files import write_whole
from taskweave.reporting.tables import Table

Curves = dict[str, tuple[list[int], list[float]]]
"""{task: (steps, values)}"""

_COLOURS = 10
Dashes = Literal["-", "--", ":", "-."]
_DASHES: tuple[Dashes, ...] = ("-", "--", ":", "-.")
_LABEL = 2.4
_LINE = 0.19
"""Width of a legend's column and height of its line, in inches."""


def training_curves(logs: Mapping[str, Path], path: Path) -> Path:
    """A PNG with one panel per task: the unweighted loss over the steps, one line per training.

    logs: label -> the ``log.csv`` of a run, whose columns are ``step`` and ``loss.<task>`` among others.
    Rows cut short by a crash and empty cells are left out. Returns `path`. Raises FileNotFoundError for a log that is not
    there, ValueError where no log holds a loss.
    """
    curves = {label: read_losses(log) for label, log in logs.items()}
    if not any(curves.values()):
        raise ValueError(f"no losses to draw: none of {[str(log) for log in logs.values()]} has a row with a loss")
    return _panels(curves, path, ylabel="loss, unweighted")


def weight_curves(logs: Mapping[str, Path], path: Path) -> Path:
    """A PNG with one panel per task: the factor of its loss, or gradient, over the steps; one line per training.

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


def gain_bars(table: Table, path: Path) -> Path:
    """A PNG with a bar per method: the average relative gain in percent. Returns `path`. Raises ValueError without one."""
    place = [column.kind for column in table.columns].index("relative_gain")
    found = [(line.method, line.entries[place]) for line in table.lines]
    gains = [(method, entry.value, entry.text) for method, entry in found if entry.value is not None]
    if not gains:
        raise ValueError(f"no gains to draw: the table {table.title!r} has no method beside its baseline")
    figure = Figure(figsize=(7.0, 0.8 + 0.38 * len(gains)), layout="constrained")
    axes = figure.add_subplot()
    methods, values, texts = zip(*reversed(gains), strict=True)
    bars = axes.barh(methods, values, color=["#3b7dd8" if value >= 0 else "#c8553d" for value in values], height=0.6)
    axes.bar_label(bars, texts, padding=3, fontsize="small")
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.margins(x=0.15)
    axes.set(title=table.title, xlabel=table.columns[place].head)
    tidy_axes(axes)
    return save_figure(figure, path)


class Style(NamedTuple):
    """How a label's lines look, as matplotlib says it."""

    colour: str
    dashes: Dashes


def draw_line(axes: Axes, x: Sequence[float], y: Sequence[float], style: Style, *, steps: bool = False) -> None:
    """One line. steps: hold each height until the next point."""
    held = "steps-post" if steps else "default"
    axes.plot(x, y, color=style.colour, linestyle=style.dashes, linewidth=1.2, drawstyle=held)


def figure_with_legend(size: tuple[float, float], labels: Sequence[str]) -> tuple[Figure, dict[str, Style]]:
    """An empty figure of `size` (width, height) in inches, a legend of all labels under it, and each label's line style.

    A label has one colour in all panels; from the eleventh on lines are dashed.
    """
    across = max(1, min(len(labels), int(size[0] // _LABEL)))
    below = _LINE * -(-len(labels) // across) + 0.15
    figure = Figure(figsize=(size[0], size[1] + below), layout="constrained")
    styles = {label: Style(f"C{i % _COLOURS}", _DASHES[i // _COLOURS % len(_DASHES)]) for i, label in enumerate(labels)}
    lines = [Line2D([], [], linewidth=1.2, color=style.colour, linestyle=style.dashes) for style in styles.values()]
    figure.legend(lines, list(styles), loc="outside lower center", ncols=across, fontsize="small", frameon=False)
    return figure, styles


def tidy_axes(axes: Axes) -> None:
    """Two spines and a faint grid behind the lines."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)


def save_figure(figure: Figure, path: Path) -> Path:
    """A PNG, written whole or not at all. Returns `path`."""
    return write_whole(path, lambda file: figure.savefig(file, format="png", dpi=120))
