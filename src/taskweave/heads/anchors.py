"""Anchors: the boxes that a detector starts from, the same ones at every cell of a feature map."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import final

import torch
from torch import Tensor


@final
@dataclass(frozen=True)
class Anchors:
    """One box for every height and every ratio, centred on each cell.

    heights: in pixels.  ratios: width over height; width = ratio * height.
    Raises ValueError unless both name positive numbers.
    """

    heights: tuple[float, ...]
    ratios: tuple[float, ...]

    def __post_init__(self) -> None:
        for name, values in (("heights", self.heights), ("ratios", self.ratios)):
            if not values or not all(isfinite(value) and value > 0 for value in values):
                raise ValueError(f"{name} of anchors are positive numbers, at least one, got {tuple(values)}")

    @property
    def count(self) -> int:
        """How many there are at a cell."""
        return len(self.heights) * len(self.ratios)

    def on_grid(self, size: tuple[int, int], stride: int, device: torch.device) -> Tensor:
        """(h w count, 4) boxes x1, y1, x2, y2 in pixels, float32, for a map of `size` (h, w): by row, column, anchor.

        Cell (i, j) is centred on the pixel position ((j + 1/2) stride, (i + 1/2) stride): what 2x2 pools see.
        """
        shapes = [(ratio * height, height) for height in self.heights for ratio in self.ratios]
        half = torch.tensor([(-w / 2, -h / 2, w / 2, h / 2) for w, h in shapes], device=device)
        y = (torch.arange(size[0], device=device) + 0.5) * stride
        x = (torch.arange(size[1], device=device) + 0.5) * stride
        rows, columns = torch.meshgrid(y, x, indexing="ij")
        centres = torch.stack([columns, rows, columns, rows], -1)
        return (centres[:, :, None] + half).reshape(-1, 4)


PEDESTRIANS = Anchors(tuple(40 * 1.3**k for k in range(9)), (0.41,))
"""One ratio, .41, and nine scales: 40 to 326 pixels high, each 1.3 times the last.

Source: Zhang et al., Is Faster R-CNN doing well for pedestrian detection? (ECCV 2016), section 3.1; the cross-connected
paper says only that its detector is a region proposal network.
"""

BIRDS = Anchors(tuple(12 * 2 ** (k / 2) for k in range(7)), (0.5, 1.0, 2.0))
"""12 to 96 pixels high, wings spread or not. Our choice: the cross-connected paper gives no anchors for birds."""
