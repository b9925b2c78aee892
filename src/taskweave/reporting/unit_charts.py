"""What was learned where streams meet: weights of units, how strongly each direction is used, and masks of attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, final

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from taskweave.reporting.charts import (
    COLOURS,
    MARKERS,
    SEQUENTIAL,
    Style,
    figure_with_legend,
    grid_of,
    save_figure,
    save_picture,
    shown,
    tidy_axes,
)
from taskweave.results.run_files import PlaceLink

_PANEL = (2.9, 2.5)
"""Inches of a panel."""


def draw_alphas(links: Sequence[PlaceLink], path: Path, *, title: str = "") -> Path:
    """Draw a panel per connection: for every destination, its own weights (solid) and those of each other source (dashed).

    "Each plot shows (in sorted order) the alpha values for all the cross-stitch units in a layer (one per channel)": Misra
    et al., "Cross-stitch networks for multi-task learning" (CVPR 2016), section 5.4 and table 4. As in the paper, each line
    is sorted by itself, so the same position on two lines is not the same channel. Each destination has one colour. Units
    with one weight per layer share a panel with the connections side by side.

    Returns:
        `path`, of the PNG.

    Raises:
        ValueError: No link has weights per channel or layer.
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
        down, across = grid_of(len(places))
        figure, _ = figure_with_legend((_PANEL[0] * across, _PANEL[1] * down + 0.2), list(labels), styles=labels)
        _draw_panels(figure, drawn, places)
    figure.suptitle(shown(title, 26 * min(4, max(2, len(places)))), fontsize="medium")
    return save_figure(figure, path)


def _label(link: PlaceLink) -> str:
    return f"{link.destination}: same task" if link.own else f"{link.destination}: from {link.source}"


def _style(link: PlaceLink, links: Sequence[PlaceLink]) -> Style:
    names = list(dict.fromkeys(name for one in links for name in (one.destination, one.source)))
    mine, other = names.index(link.destination), names.index(link.source)
    order = len(names) * mine + other
    return Style(COLOURS[mine % len(COLOURS)], "-" if link.own else "--", MARKERS[other % len(MARKERS)], order)


def _draw_panels(figure: Figure, links: Sequence[PlaceLink], places: Sequence[str]) -> None:
    down, across = grid_of(len(places))
    panels = figure.subplots(down, across, sharey=True, squeeze=False)
    for number, (axes, place) in enumerate(zip(panels.flat, places, strict=False)):
        for link in (link for link in links if link.place == place):
            values, style = sorted(link.alphas), _style(link, links)
            last = max(1, len(values) - 1)
            share = [50.0] if len(values) == 1 else [100 * i / last for i in range(len(values))]
            every = max(1, len(values) // 3)
            where = (style.order % 4 * every // 4, every)
            axes.plot(share, values, **style.said, markersize=4, markevery=where, linewidth=1.4)
        axes.set_title(shown(place), fontsize="small")
        if number % across == 0:
            axes.set_ylabel("alpha")
        if number + across >= len(places):
            axes.set_xlabel("weights, sorted, %")
        tidy_axes(axes)
    for axes in panels.flat[len(places) :]:
        axes.set_axis_off()


def _draw_by_place(axes: Axes, links: Sequence[PlaceLink], places: Sequence[str]) -> None:
    for label in dict.fromkeys(_label(link) for link in links):
        same = [link for link in links if _label(link) == label]
        x, y = [places.index(link.place) for link in same], [link.alphas[0] for link in same]
        axes.plot(x, y, **_style(same[0], links).said, linewidth=1.0)
    axes.set_xticks(range(len(places)), [shown(place, 12) for place in places], fontsize="small")
    axes.set(ylabel="alpha", xlim=(-0.4, len(places) - 0.6))
    tidy_axes(axes)


_CELL = (0.95, 0.27)
"""Inches of a cell."""
_EMPTY = "#dddddd"
_TICKS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0)


def draw_sharing_map(methods: Mapping[str, Sequence[Sequence[PlaceLink]]], path: Path) -> Path:
    """Draw a panel per method: connections downwards, directions across; colour and number say how much crosses.

    The number is ||W from the source|| / ||W from the own feature|| (Frobenius norms of the weights that make the
    destination's feature): 0 if nothing crosses, 1 if as much crosses as comes from the own feature. Colours mean the same
    in all charts. If nothing comes from the own feature, the cell is grey and holds the norm itself. The own feature,
    always 1, is left out.

    Args:
        methods: {method: for every seed, the links of its connections}; numbers are means over seeds.

    Returns:
        `path`, of the PNG.

    Raises:
        ValueError: No method has a link between two streams.
    """
    maps = {method: _Cells(seeds) for method, seeds in methods.items() if any(not one.own for of in seeds for one in of)}
    if not maps:
        raise ValueError(f"no sharing to draw: no method of {list(methods)} has a link between two streams")
    down, across = grid_of(len(maps), across=3)
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


_SIDE = 1.7
"""Inches of a panel's longer side."""


def attention_figure(
    images: ArrayLike,
    masks: Mapping[str, Sequence[ArrayLike]],
    path: Path,
    *,
    channel: int | None = None,
    own_range: bool = False,
    title: str = "",
) -> Path:
    """Draw a row per picture and task: the picture, then the task's mask of every block, each with its range.

    As figure 5 of the MT-UNet paper, which shows "the initial attention masks at the decoder end" of both tasks. All panels
    are as large as the picture; mask pixels stay visible.

    Args:
        images: RGB (B, 3, H, W), uint8 or float in [0, 1].
        masks: {task: one (B, C, h, w) per block}, from `taskweave.networks.attention_masks`; tasks without masks are left
            out.
        path: Where the PNG is written.
        channel: The channel to draw; None for the mean over channels. The paper does not say which it draws.
        own_range: Scale each panel's colours from its smallest to its largest value instead of 0 to 1.

    Returns:
        `path`.

    Raises:
        ValueError: There is no mask, or one does not match the pictures or lacks the channel.
    """
    pictures = np.asarray(images)
    drawn = {
        task: [_panel(np.asarray(mask), task, len(pictures), channel) for mask in blocks]
        for task, blocks in masks.items()
        if blocks
    }
    if not drawn:
        raise ValueError(f"no attention masks to draw: none of the tasks {list(masks)} has any")
    columns = 1 + max(len(blocks) for blocks in drawn.values())
    rows = len(pictures) * len(drawn)
    tall, wide = pictures.shape[-2:]
    width, height = _SIDE * wide / max(tall, wide), _SIDE * tall / max(tall, wide) + 0.25
    figure = Figure(figsize=(columns * width + 1.2, rows * height + 0.6), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for line in axes.flat:
        line.set_axis_off()
    for index, image in enumerate(pictures):
        for position, (task, blocks) in enumerate(drawn.items()):
            line = axes[index * len(drawn) + position]
            if position == 0:
                line[0].imshow(_pixels(image))
            line[0].text(
                -0.06, 0.5, shown(task, 18), transform=line[0].transAxes, rotation=90, va="center", ha="right", fontsize=9
            )
            for number, block in enumerate(blocks):
                head = f"block {number + 1}" if index == position == 0 else ""
                _draw(line[number + 1], block[index], size=(tall, wide), head=head, own_range=own_range)
    what = "mean over channels" if channel is None else f"channel {channel}"
    if not own_range:
        figure.colorbar(
            ScalarMappable(Normalize(0.0, 1.0), SEQUENTIAL), ax=axes, label=f"mask, {what}", aspect=30, pad=0.01
        )
    scale = ", colours over each panel's own range" if own_range else ""
    figure.suptitle(shown(title, 90) or f"Attention masks, {what}{scale}", fontsize=10)
    return save_picture(figure, path)


def _panel(mask: NDArray[Any], task: str, pictures: int, channel: int | None) -> NDArray[Any]:
    """(B, h, w) of one block."""
    if mask.ndim != 4 or len(mask) != pictures:
        raise ValueError(f"a mask is (B, C, h, w) for the {pictures} pictures given; {task!r} has one of {mask.shape}")
    if channel is not None and not 0 <= channel < mask.shape[1]:
        raise ValueError(f"channel={channel}: a mask of {task!r} has the channels 0 to {mask.shape[1] - 1}")
    return mask.mean(1) if channel is None else mask[:, channel]


def _pixels(image: NDArray[Any]) -> NDArray[np.uint8]:
    pixels = image if image.dtype == np.uint8 else (image.clip(0, 1) * 255).astype(np.uint8)
    return pixels.transpose(1, 2, 0)


def _draw(axes: Axes, values: NDArray[Any], *, size: tuple[int, int], head: str, own_range: bool) -> None:
    low, high = float(values.min()), float(values.max())
    axes.imshow(
        values,
        cmap=SEQUENTIAL,
        vmin=low if own_range else 0.0,
        vmax=high if own_range else 1.0,
        interpolation="nearest",
        extent=(0, size[1], size[0], 0),
    )
    axes.set_title(f"{head}\n{low:.2f} to {high:.2f}".strip(), fontsize=7, pad=2)
