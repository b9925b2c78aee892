"""What units learned: their weights, and how strongly every direction of every connection is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import final

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from taskweave.reporting.charts import (
    COLOURS,
    MARKERS,
    SEQUENTIAL,
    Style,
    figure_with_legend,
    save_figure,
    shown,
    tidy_axes,
)
from taskweave.results.run_files import PlaceLink

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


_MAPS_ACROSS = 3
_CELL = (0.95, 0.27)
"""Inches of a cell."""
_EMPTY = "#dddddd"
_TICKS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0)


def draw_sharing_map(methods: Mapping[str, Sequence[Sequence[PlaceLink]]], path: Path) -> Path:
    """A panel per method: places downwards, directions across; colour and number say how strongly each is used.

    methods: method -> for every seed the links of its connections; numbers are means over seeds.
    The number is ||W from the source|| / ||W from the own feature|| (Frobenius norms of the weights that make the
    destination's feature): 0 nothing crosses, 1 as much as of its own; its colour is the same in all charts. Where a
    destination takes nothing of its own, the cell is grey and holds the norm itself. The own feature, 1 everywhere, is left
    out.
    Returns `path`, the PNG's. Raises ValueError where no method has a link between two streams.
    """
    maps = {method: _Cells(seeds) for method, seeds in methods.items() if any(not one.own for of in seeds for one in of)}
    if not maps:
        raise ValueError(f"no sharing to draw: no method of {list(methods)} has a link between two streams")
    across = min(_MAPS_ACROSS, len(maps))
    down = -(-len(maps) // across)
    wide = max(len(cells.directions) for cells in maps.values()) * _CELL[0] + 1.4
    tall = max(len(cells.places) for cells in maps.values()) * _CELL[1] + 1.1
    figure = Figure(figsize=(max(4.5, across * wide), down * tall + 1.0), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False)
    for axes, (method, cells) in zip(panels.flat, maps.items(), strict=False):
        _draw_map(axes, cells)
        seeds = "" if cells.seeds == 1 else f" (mean of {cells.seeds} seeds)"
        axes.set_title(shown(method + seeds), fontsize="small")
    for axes in panels.flat[len(maps) :]:
        axes.set_axis_off()
    bar = figure.colorbar(ScalarMappable(Normalize(0.0, 1.0), SEQUENTIAL), ax=panels, aspect=40, pad=0.01)
    bar.set_ticks([_shade(value) for value in _TICKS], labels=[f"{value:g}" for value in _TICKS], fontsize="x-small")
    title = "How much crosses:\nnorm of the other task's weights / norm of the own"
    if any(cells.raw for cells in maps.values()):
        title += "\n(grey: nothing of the own; the norm itself)"
    figure.suptitle(title, fontsize="small")
    return save_figure(figure, path)


@final
class _Cells:
    """The numbers of one method's panel."""

    def __init__(self, seeds: Sequence[Sequence[PlaceLink]]) -> None:
        links = [link for of in seeds for link in of if not link.own]
        self.seeds = len(seeds)
        self.places = list(dict.fromkeys(link.place for link in links))
        self.directions = list(dict.fromkeys(link.direction for link in links))
        self.relative: dict[tuple[str, str], float] = {}
        self.raw: dict[tuple[str, str], float] = {}
        for cell in dict.fromkeys((link.place, link.direction) for link in links):
            same = [link for link in links if (link.place, link.direction) == cell]
            known = [link.relative for link in same if link.relative is not None]
            if known:
                self.relative[cell] = fmean(known)
            else:
                self.raw[cell] = fmean(link.norm for link in same)


def _shade(value: float) -> float:
    """A ratio of two norms as a share of both together, which ends at 1 whatever the ratio."""
    return value / (1.0 + value)


def _draw_map(axes: Axes, cells: _Cells) -> None:
    values = np.full((len(cells.places), len(cells.directions)), np.nan)
    for (place, direction), value in cells.relative.items():
        values[cells.places.index(place), cells.directions.index(direction)] = _shade(value)
    colours = colormaps[SEQUENTIAL].with_extremes(bad="white")
    axes.imshow(np.ma.masked_invalid(values), cmap=colours, vmin=0.0, vmax=1.0, aspect="auto")
    for cell, value in (*cells.relative.items(), *cells.raw.items()):
        row, column = cells.places.index(cell[0]), cells.directions.index(cell[1])
        behind = None if cell in cells.relative else {"facecolor": _EMPTY, "edgecolor": "none"}
        # the map runs from dark to light
        ink = "white" if cell in cells.relative and _shade(value) < 0.6 else "black"
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize="small", color=ink, bbox=behind)
    axes.set_xticks(range(len(cells.directions)), [shown(name, 14) for name in cells.directions], fontsize="x-small")
    axes.set_yticks(range(len(cells.places)), [shown(name, 22) for name in cells.places], fontsize="x-small")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
