"""The weights that cross-stitch units learned (table 4 of their paper): of any unit with one per channel or layer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from taskweave.reporting.charts import figure_with_legend, save_figure, tidy_axes
from taskweave.reporting.learned import PlaceLink
from taskweave.reporting.style import COLOURS, MARKERS, Style, shown

_ACROSS = 4
_PANEL = (2.9, 2.5)
"""Inches of a panel."""


def draw_alphas(links: Sequence[PlaceLink], path: Path, *, title: str = "") -> Path:
    """A panel per place; in it, for every destination, its own weights (solid) and those of every other source (dashed).

    "Each plot shows (in sorted order) the alpha values for all the cross-stitch units in a layer (one per channel)": Misra
    et al., "Cross-stitch networks for multi-task learning" (CVPR 2016), section 5.4 and table 4. As there each line is
    sorted by itself, so that one position is not one channel. A colour is a destination. Units with one weight per layer
    share one panel with the places side by side.
    Returns `path`, the PNG's. Raises ValueError where no link has weights of its own.
    """
    drawn = [link for link in links if link.alphas]
    if not drawn:
        raise ValueError(f"no alpha values to draw: none of {len(links)} links has weights per channel or layer")
    labels = {_label(link): _style(link, drawn) for link in drawn}
    places = list(dict.fromkeys(link.place for link in drawn))
    if all(len(link.alphas) == 1 for link in drawn):
        figure, _ = figure_with_legend((max(5.0, 1.0 * len(places)), 3.4), list(labels), styles=labels)
        _draw_by_place(figure.add_subplot(), drawn, places)
    else:
        across = min(_ACROSS, len(places))
        down = -(-len(places) // across)
        figure, _ = figure_with_legend((_PANEL[0] * across, _PANEL[1] * down + 0.2), list(labels), styles=labels)
        _draw_panels(figure, drawn, places, across)
    figure.suptitle(shown(title, 26 * min(_ACROSS, max(2, len(places)))), fontsize="medium")
    return save_figure(figure, path)


def _label(link: PlaceLink) -> str:
    return f"{link.destination}: same task" if link.own else f"{link.destination}: from {link.source}"


def _style(link: PlaceLink, links: Sequence[PlaceLink]) -> Style:
    names = list(dict.fromkeys(name for one in links for name in (one.destination, one.source)))
    mine, other = names.index(link.destination), names.index(link.source)
    order = len(names) * mine + other
    return Style(COLOURS[mine % len(COLOURS)], "-" if link.own else "--", MARKERS[other % len(MARKERS)], order)


def _draw_panels(figure: Figure, links: Sequence[PlaceLink], places: Sequence[str], across: int) -> None:
    down = -(-len(places) // across)
    panels = figure.subplots(down, across, sharey=True, squeeze=False)
    for number, (axes, place) in enumerate(zip(panels.flat, places, strict=False)):
        for link in (link for link in links if link.place == place):
            _draw_sorted(axes, link, _style(link, links))
        axes.set_title(shown(place), fontsize="small")
        if number % across == 0:
            axes.set_ylabel("alpha")
        if number + across >= len(places):
            axes.set_xlabel("weights, sorted, %")
        tidy_axes(axes)
    for axes in panels.flat[len(places) :]:
        axes.set_axis_off()


def _draw_sorted(axes: Axes, link: PlaceLink, style: Style) -> None:
    values = sorted(link.alphas)
    last = max(1, len(values) - 1)
    share = [50.0] if len(values) == 1 else [100 * i / last for i in range(len(values))]
    every = max(1, len(values) // 3)
    axes.plot(
        share,
        values,
        color=style.colour,
        linestyle=style.dashes,
        marker=style.marker,
        markersize=4,
        markevery=(style.order % 4 * every // 4, every),
        linewidth=1.4,
    )


def _draw_by_place(axes: Axes, links: Sequence[PlaceLink], places: Sequence[str]) -> None:
    for label in dict.fromkeys(_label(link) for link in links):
        same = [link for link in links if _label(link) == label]
        style = _style(same[0], links)
        axes.plot(
            [places.index(link.place) for link in same],
            [link.alphas[0] for link in same],
            color=style.colour,
            linestyle=style.dashes,
            marker=style.marker,
            linewidth=1.0,
        )
    axes.set_xticks(range(len(places)), [shown(place, 12) for place in places], fontsize="small")
    axes.set(ylabel="alpha", xlim=(-0.4, len(places) - 0.6))
    tidy_axes(axes)
