"""NDDR-CNN's shortcut: the fused features of all stages, straight to the last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, final

import torch
from annotated_types import Ge
from torch import Tensor, nn
from torch.nn import functional as F

from taskweave.features import FeatureShape
from taskweave.units.unit import MapUnit, resized


@final
class Shortcut(MapUnit):
    """Gathers the fused stages of one stream, resized to the last, and hands on one 1x1 convolution of all of them.

    out = W [resize(x_1); ...; x_L], W in R^(channels x sum_l C_l); bilinear, align_corners=False.
    Gao et al., "NDDR-CNN" (CVPR 2019), section 3.3 and figure 2; their table 6 has it on every kind of network.
    Use it with ``connect(..., gather=[Shortcut])``, after any unit or none: L features in, one out in place of the last,
    (B, C, H, W) or (B, N, C). Xavier's initialisation (uniform): it does not start as the single network.

    Args:
        shapes: Shapes of the gathered features, in the order of the stages.
        channels: What the next layer takes (VGG-16: 512).
        normalise: Whether batch norm (momentum .05, eps 1e-3) and ReLU follow the convolution, which then has no bias, as
            in the authors' code; otherwise it is the convolution with a bias alone, as in the text.

    Raises:
        ValueError: There is no feature to gather.

    Deviations: the authors' learning rate of this convolution is 100 times the base because its name contains "nddr";
    it starts at random, so here it is 1.
    """

    fewest = 1
    decays: ClassVar[bool] = True

    def __init__(
        self, shapes: Sequence[FeatureShape], *, channels: Annotated[int, Ge(1)] = 512, normalise: bool = True
    ) -> None:
        super().__init__(shapes)
        if channels < 1:
            raise ValueError(f"Shortcut needs at least one output channel, got channels={channels}")
        self.convolution = nn.Conv2d(sum(s.channels for s in self.shapes), channels, 1, bias=not normalise)
        nn.init.xavier_uniform_(self.convolution.weight)
        if self.convolution.bias is not None:
            nn.init.zeros_(self.convolution.bias)
        self.norm = nn.BatchNorm2d(channels, momentum=0.05, eps=1e-3) if normalise else None

    def fuse(self, maps: list[Tensor]) -> list[Tensor]:
        out = self.convolution(torch.cat([resized(x, maps[-1]) for x in maps], 1))
        return [out if self.norm is None else F.relu(self.norm(out), inplace=True)]
