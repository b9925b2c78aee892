"""Gains and metrics of a comparison as bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from taskweave.reporting.charts import BLACK, BLUE, GREY, VERMILLION, save_figure, shown, tidy_axes
from taskweave.reporting.tables import Entry, Line, Table


def gain_bars(table: Table, path: Path, *, seeds: Mapping[str, Sequence[float]] | None = None) -> Path:
    """A bar per method: the relative gain in percent (the table's first kind), losses hatched; a whisker is its interval.

    seeds: {method: the gain with each seed}, drawn as points where there are several.
    Returns `path`, the PNG's. Raises ValueError without a gain.
    """
    place = [column.kind for column in table.columns].index("relative_gain")
    found = [(line.method, line.entries[place]) for line in table.lines]
    gains = [(method, entry.value, entry) for method, entry in found if entry.value is not None]
    if not gains:
        raise ValueError(f"no gains to draw: the table {table.title!r} has no method beside its baseline")
    height = sum(0.2 + 0.16 * len(shown(method, 36, lines=2).splitlines()) for method, _, _ in gains)
    figure = Figure(figsize=(7.0, 1.1 + height), layout="constrained")
    axes = figure.add_subplot()
    methods, values, entries = zip(*gains, strict=True)
    bars = axes.barh(range(len(gains)), values, color=[BLUE if value >= 0 else VERMILLION for value in values], height=0.6)
    for bar, value in zip(bars, values, strict=True):
        bar.set_hatch("" if value >= 0 else "///")
        bar.set_edgecolor("white")
    words = _draw_intervals(axes, entries) + _draw_seeds(axes, [(seeds or {}).get(method, ()) for method in methods])
    axes.set_yticks(range(len(gains)), [shown(method, 36, lines=2) for method in methods])
    axes.invert_yaxis()
    _write_numbers(axes, entries)
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.margins(x=0.05)
    below = [table.columns[place].head, "; ".join(words)]
    axes.set(title=shown(table.title, 60), xlabel="\n".join(line for line in below if line))
    tidy_axes(axes)
    return save_figure(figure, path)


def _draw_intervals(axes: Axes, entries: Sequence[Entry]) -> list[str]:
    """Returns what to say of them."""
    known = [(y, e.low, e.high) for y, e in enumerate(entries) if e.low is not None and e.high is not None]
    for y, low, high in known:
        axes.plot([low, high], [y, y], color=BLACK, linewidth=1.2, marker="|", markersize=7)
    return ["whisker: 95 % interval"] if known else []


def _draw_seeds(axes: Axes, seeds: Sequence[Sequence[float]]) -> list[str]:
    """Returns what to say of them."""
    points = [(value, y) for y, values in enumerate(seeds) for value in values if len(values) > 1]
    for value, y in points:
        axes.plot(value, y, "o", markersize=4, markerfacecolor="white", markeredgecolor=BLACK)
    return ["points: seeds"] if points else []


def _write_numbers(axes: Axes, entries: Sequence[Entry]) -> None:
    """Right of everything that is drawn in a line."""
    for y, entry in enumerate(entries):
        ends = [value for value in (0.0, entry.value, entry.high) if value is not None]
        axes.annotate(entry.text, (max(ends), y), xytext=(5, 0), textcoords="offset points", va="center", fontsize="small")
    low, high = axes.get_xlim()
    axes.set_xlim(low, high + 0.12 * (high - low))


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
        _draw_metric(axes, methods, place)
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


def _draw_metric(axes: Axes, methods: Sequence[Line], place: int) -> None:
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
