"""Attention masks as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from taskweave.reporting.charts import SEQUENTIAL, save_picture, shown

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
    """A PNG with a row per picture and task: the picture, then the task's mask of every block, each with its range.

    As figure 5 of the MT-UNet paper, which shows "the initial attention masks at the decoder end" of both tasks.
    images: RGB (B, 3, H, W), uint8 or float in [0, 1].
    masks: {task: one (B, C, h, w) per block}, as `taskweave.networks.attention_masks` gives them; tasks without any are
        left out. All panels are drawn as large as the picture, masks with visible pixels.
    channel: of the masks; unless given, their mean over channels. The paper does not say which it draws.
    own_range: each panel's colours go from its smallest to its largest value instead of 0 to 1.
    Returns `path`. Raises ValueError without a mask, or where one is not of these pictures or has not that channel.
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
