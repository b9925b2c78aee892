"""How much each method gained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from taskweave.reporting.charts import save_figure, tidy_axes
from taskweave.reporting.style import BLACK, BLUE, VERMILLION, shown
from taskweave.reporting.tables import Entry, Table


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
