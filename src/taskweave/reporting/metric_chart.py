"""Every metric of a comparison as bars, method beside method."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from taskweave.reporting.charts import save_figure, tidy_axes
from taskweave.reporting.style import BLUE, GREY, shown
from taskweave.reporting.tables import Line, Table

_ACROSS = 4
_PANEL = 3.0
"""Inches of a panel's width."""


def metric_bars(table: Table, path: Path) -> Path:
    """A panel per metric, each with a bar per method; as figure 4 of the MT-UNet paper, for any methods.

    The first method, the baseline, is grey and hatched; a whisker is the spread over seeds, a dotted line what a constant
    prediction scores. Bars begin at 0. Returns `path`, the PNG's. Raises ValueError for a table without a metric.
    """
    places = [place for place, column in enumerate(table.columns) if column.kind == "metric"]
    methods = [line for line in table.lines if line.seeds]
    if not places or not methods:
        raise ValueError(f"no metrics to draw: the table {table.title!r} has {len(places)} for {len(methods)} methods")
    constant = next((line for line in table.lines if line.kind == "constant"), None)
    across = min(_ACROSS, len(places))
    down = -(-len(places) // across)
    size = (1.6 + _PANEL * across, 0.6 + down * (0.6 + 0.36 * len(methods)))
    figure = Figure(figsize=size, layout="constrained")
    panels = list(figure.subplots(down, across, sharey=True, squeeze=False).flat)
    for axes in panels[len(places) :]:
        axes.set_axis_off()
    for axes, place in zip(panels, places, strict=False):
        _draw(axes, methods, place)
        level = constant.entries[place].value if constant is not None else None
        if level is not None:
            axes.axvline(level, color="black", linewidth=1.0, linestyle=":")
        axes.set_title(shown(table.columns[place].head, 32), fontsize="small")
    panels[0].set_yticks(range(len(methods)), [shown(line.method, 36, lines=2) for line in methods])
    panels[0].invert_yaxis()
    if constant is not None:
        dotted = Line2D([], [], color="black", linewidth=1.0, linestyle=":")
        figure.legend([dotted], [shown(constant.method)], loc="outside lower center", fontsize="small", frameon=False)
    return save_figure(figure, path)


def _draw(axes: Axes, methods: Sequence[Line], place: int) -> None:
    entries = [line.entries[place] for line in methods]
    bars = axes.barh(
        range(len(methods)),
        [entry.value or 0.0 for entry in entries],
        xerr=[entry.spread or 0.0 for entry in entries],
        color=[BLUE if number else GREY for number in range(len(methods))],
        height=0.65,
    )
    bars.patches[0].set(hatch="///", edgecolor="white")
    clear = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}  # the constant's line does not cross the number
    axes.bar_label(bars, [entry.text for entry in entries], padding=2, fontsize="x-small", bbox=clear)
    axes.margins(x=0.25)
    tidy_axes(axes)
