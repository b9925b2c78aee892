"""NDDR-CNN's shortcut: the fused features of all stages, straight to the last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from taskweave.features import FeatureShape
from taskweave.units.maps import MapUnit, resized


@final
class Shortcut(MapUnit):
    """Gathers the fused stages of one stream, resized to the last, and hands on one 1x1 convolution of all of them.

    out = W [resize(x_1); ...; x_L], W in R^(out_channels x sum_l C_l); bilinear, align_corners=False.
    Gao et al., "NDDR-CNN" (CVPR 2019), section 3.3 and figure 2; their table 6 has it on every kind of network.
    Use it with ``connect(..., gather=[Shortcut])``, after any unit or none: L features in, one out, in the last's place.

    out_channels: what the next layer takes (VGG-16: 512).
    normalise: batch norm (momentum .05, eps 1e-3) and ReLU after the convolution, which then has no bias, as the authors'
        code; otherwise the convolution with a bias alone, as the text.
    Features: (B, C, H, W) or (B, N, C).  The start is Xavier's (uniform): it does not start as the single network.

    Deviations: the authors' learning rate of this convolution is 100 times the base because its name contains "nddr";
    it starts at random, so here it is 1.
    """

    fewest = 1
    decays: ClassVar[bool] = True

    def __init__(self, shapes: Sequence[FeatureShape], *, out_channels: int = 512, normalise: bool = True) -> None:
        super().__init__(shapes)
        if out_channels < 1:
            raise ValueError(f"Shortcut needs at least one output channel, got out_channels={out_channels}")
        self.convolution = nn.Conv2d(sum(s.channels for s in self.shapes), out_channels, 1, bias=not normalise)
        nn.init.xavier_uniform_(self.convolution.weight)
        if self.convolution.bias is not None:
            nn.init.zeros_(self.convolution.bias)
        self.norm = nn.BatchNorm2d(out_channels, momentum=0.05, eps=1e-3) if normalise else None

    def fuse(self, maps: list[Tensor]) -> list[Tensor]:
        out = self.convolution(torch.cat([resized(x, maps[-1]) for x in maps], 1))
        return [out if self.norm is None else F.relu(self.norm(out), inplace=True)]
