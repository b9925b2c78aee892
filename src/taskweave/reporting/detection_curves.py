"""Curves of detectors: precision over recall, miss rate over false positives per image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes

from taskweave.metrics.per_image import Curve
from taskweave.reporting.charts import Style, draw_line, figure_with_legend, save_figure, shown, styles_of, tidy_axes

_ACROSS = 4
_LEAST = {"x": 1e-3, "y": 1e-2}
"""Where logarithmic axes begin; what is below, 0 too, is drawn there."""


def draw_curves(curves: Mapping[str, Sequence[Curve]], path: Path, *, title: str = "") -> Path:
    """A panel for each class and kind of curve, in it a line per method, and one legend. Returns `path`, the PNG's.

    curves: method -> the curves of its metric, ``DetectionMetric.curves()``.
    Miss rates are drawn as both axes logarithmic, as in Dollár et al. (2012), precision over recall from 0 to 1.
    Raises ValueError without a curve.
    """
    panels = list(dict.fromkeys(_panel(curve) for found in curves.values() for curve in found))
    if not panels:
        raise ValueError(f"no curves to draw: none of the methods {list(curves)} has any; measure on images with objects")
    across = min(_ACROSS, len(panels))
    down = -(-len(panels) // across)
    # a method looks the same in all charts of a comparison, also where others have no such curve
    styles = {method: style for method, style in styles_of(list(curves)).items() if curves[method]}
    figure, _ = figure_with_legend((3.6 * across, 3.2 * down), list(styles), styles=styles)
    for number, panel in enumerate(panels):
        axes = figure.add_subplot(down, across, number + 1)
        for method, found in curves.items():
            for curve in found:
                if _panel(curve) == panel:
                    _draw(axes, curve, styles[method])
    figure.suptitle(shown(title, 60), fontsize="small")
    return save_figure(figure, path)


def _panel(curve: Curve) -> tuple[str, str, str]:
    return curve.name, curve.x_axis, curve.y_axis


def _draw(axes: Axes, curve: Curve, style: Style) -> None:
    axes.set(title=shown(curve.name), xlabel=curve.x_axis, ylabel=curve.y_axis)
    if curve.logarithmic:
        x, y = ([max(value, _LEAST[axis]) for value in values] for axis, values in (("x", curve.x), ("y", curve.y)))
        draw_line(axes, x, y, style, steps=True)
        axes.set(xscale="log", yscale="log")
        # miss rates seldom span a decade: shares as plain numbers
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
        axes.tick_params(axis="y", which="minor", labelsize="x-small")
    else:
        draw_line(axes, curve.x, curve.y, style)
        axes.set(xlim=(0.0, 1.0), ylim=(0.0, 1.02))
    tidy_axes(axes)
