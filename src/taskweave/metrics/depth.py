"""How good predicted depth is, over a whole set of images."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from taskweave.metrics.depth_errors import depth_scores, depth_sums_by_image
from taskweave.metrics.gathering import gather_from_anywhere
from taskweave.metrics.per_image_errors import DepthImages
from taskweave.metrics.per_image_metric import PerImageMetric, rows_of


@final
class DepthMetric(PerImageMetric):
    """abs = mean |p - g| and rmse = sqrt(mean (p - g)^2) in metres, rel = mean |p - g| / g, over all labelled pixels.

    ``update(prediction, target)``: (B, 1, H, W) metres each; target 0 is a hole. Every labelled pixel of the set weighs
    the same, so an image without one contributes nothing.
    """

    full_state_update = False
    sums: Tensor
    rows: list[Tensor] | Tensor

    def __init__(self) -> None:
        super().__init__(dist_sync_fn=gather_from_anywhere)
        self.add_state("sums", torch.zeros(4, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("rows", [], dist_reduce_fx="cat")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        rows = depth_sums_by_image(prediction, target)
        self.sums += rows.sum(0)
        assert isinstance(self.rows, list)  # a tensor only while synchronised, when updates are refused
        self.rows.append(rows.flatten())

    def compute(self) -> dict[str, Tensor]:
        return depth_scores(self.sums)

    def per_image(self) -> DepthImages:
        """The sums over each image's pixels."""
        with self.sync_context(dist_sync_fn=self.dist_sync_fn):
            return DepthImages(rows_of(self.rows, 4))
