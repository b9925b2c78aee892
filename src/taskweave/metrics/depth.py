"""How good predicted depth is, over a whole set of images."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor
from torchmetrics import Metric

from taskweave.metrics.depth_errors import depth_scores, depth_sums


@final
class DepthMetric(Metric):
    """abs = mean |p - g| and rmse = sqrt(mean (p - g)^2) in metres, rel = mean |p - g| / g, over all labelled pixels.

    ``update(prediction, target)``: (B, 1, H, W) metres each; target 0 is a hole. Every labelled pixel of the set weighs
    the same, so an image without one contributes nothing.
    """

    full_state_update = False
    sums: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("sums", torch.zeros(4, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        self.sums += depth_sums(prediction, target)

    def compute(self) -> dict[str, Tensor]:
        return depth_scores(self.sums)
