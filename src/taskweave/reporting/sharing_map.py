"""Where tasks share: how strongly every direction of every connection is used."""

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

from taskweave.reporting.charts import save_figure
from taskweave.reporting.learned import PlaceLink
from taskweave.reporting.style import SEQUENTIAL, shown

_ACROSS = 3
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
    across = min(_ACROSS, len(maps))
    down = -(-len(maps) // across)
    wide = max(len(cells.directions) for cells in maps.values()) * _CELL[0] + 1.4
    tall = max(len(cells.places) for cells in maps.values()) * _CELL[1] + 1.1
    figure = Figure(figsize=(max(4.5, across * wide), down * tall + 1.0), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False)
    for axes, (method, cells) in zip(panels.flat, maps.items(), strict=False):
        _draw(axes, cells)
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


def _draw(axes: Axes, cells: _Cells) -> None:
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
