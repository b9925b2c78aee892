"""How much each method gained."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from taskweave.reporting.charts import save_figure, tidy_axes
from taskweave.reporting.style import BLUE, VERMILLION, shown
from taskweave.reporting.tables import Table


def gain_bars(table: Table, path: Path) -> Path:
    """A bar per method: the average relative gain in percent; losses hatched. `path` is a PNG's, an SVG lies beside it.

    Returns `path`. Raises ValueError without a gain.
    """
    place = [column.kind for column in table.columns].index("relative_gain")
    found = [(line.method, line.entries[place]) for line in table.lines]
    gains = [(shown(method), entry.value, entry.text) for method, entry in found if entry.value is not None]
    if not gains:
        raise ValueError(f"no gains to draw: the table {table.title!r} has no method beside its baseline")
    height = sum(0.2 + 0.16 * len(method.splitlines()) for method, _, _ in gains)
    figure = Figure(figsize=(7.0, 0.9 + height), layout="constrained")
    axes = figure.add_subplot()
    methods, values, texts = zip(*gains, strict=True)
    bars = axes.barh(range(len(gains)), values, color=[BLUE if value >= 0 else VERMILLION for value in values], height=0.6)
    for bar, value in zip(bars, values, strict=True):
        bar.set_hatch("" if value >= 0 else "///")
        bar.set_edgecolor("white")
    axes.set_yticks(range(len(gains)), methods)
    axes.invert_yaxis()
    axes.bar_label(bars, texts, padding=3, fontsize="small")
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.margins(x=0.15)
    axes.set(title=shown(table.title, 60), xlabel=table.columns[place].head)
    tidy_axes(axes)
    return save_figure(figure, path)
