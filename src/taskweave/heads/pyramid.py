"""Pyramid pooling: the picture's means at several grains beside its features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from taskweave.heads.convolution import ConvReLU, classifier


@final
class PyramidPooling(nn.Module):
    """PSPNet's head; (B, in_channels, h, w) -> (B, channels, h, w).

    The feature is averaged over b x b cells for every b of `bins`, each average brought to in_channels / len(bins)
    channels (1x1, ReLU), enlarged bilinearly and put beside the feature; then 3x3 to `hidden`, dropout, classes.

    batch_norm: of the 3x3 layer.
    Source: Zhao et al., Pyramid scene parsing network (CVPR 2017), section 3.2.
    Deviations: no batch norm on the averages, of which a batch of one has a single number per channel; enlarged with
    align_corners=False.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        bins: Sequence[int] = (1, 2, 3, 6),
        hidden: int = 512,
        dropout: float = 0.1,
        batch_norm: tuple[float, float] | None = None,
    ) -> None:
        super().__init__()
        self.bins = tuple(bins)
        if not self.bins or min(self.bins) < 1 or len(self.bins) > in_channels:
            raise ValueError(f"bins are grids of 1 or more cells a side, 1 to {in_channels} of them, got {self.bins}")
        width = in_channels // len(self.bins)
        self.branches = nn.ModuleList(ConvReLU(in_channels, width, kernel_size=1) for _ in self.bins)
        joined = in_channels + width * len(self.bins)
        self.join = ConvReLU(joined, hidden, kernel_size=3, batch_norm=batch_norm)
        self.dropout = nn.Dropout(dropout)
        self.classifier = classifier(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        size = x.shape[-2:]
        means = [branch(F.adaptive_avg_pool2d(x, b)) for b, branch in zip(self.bins, self.branches, strict=True)]
        large = [F.interpolate(mean, size=size, mode="bilinear", align_corners=False) for mean in means]
        logits: Tensor = self.classifier(self.dropout(self.join(torch.cat([x, *large], 1))))
        return logits
