"""Cross-stitch as the MTAN authors coded it: one mixture for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, final

import torch
from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.units.mixing import mix
from taskweave.units.unit import MapUnit


@final
class CommonStitch(MapUnit):
    """Every stream goes on with the same learned weighted sum of all streams' features.

    out_t = sum_s alpha[s] * x_s for every t. This is no cross-stitch unit: there is no weight per destination, so all
    streams are handed one feature and no start keeps them apart; with alpha = 1 the sum of K alike features is K times as
    large. It stands here because the "Cross-Stitch" rows of Liu et al., "End-to-end multi-task learning with attention"
    (CVPR 2019) come from it by their public code, and MT-UNet's tables 1 and 2 seem to quote those rows. For Misra et al.'s
    unit, K x K weights, take `CrossStitch`.

    Features in and out are (B, C, H, W) or (B, N, C), one shape for all streams. A unit has K numbers and may serve several
    connections; they learn at the rate of the network, as the authors' do.

    Args:
        shapes: Shapes of the features that meet.
        weight: Initial value of every alpha; the authors' is 1.

    Raises:
        ValueError: There are fewer than two streams, or channels or sizes differ.
    """

    title: ClassVar[str] = "cross-stitch (one mixture)"

    def __init__(self, shapes: Sequence[FeatureShape], *, weight: float = 1.0) -> None:
        super().__init__(shapes)
        self.require_equal_channels("use CrossConnection, which projects")
        self.require_equal_sizes("use CrossConnection or NDDR, which resize")
        self.alpha = nn.Parameter(torch.full((len(self.shapes),), weight))

    def fuse(self, maps: list[Tensor]) -> list[Tensor]:
        self.require_alike(maps)
        (mixture,) = mix(self.alpha[None, :, None].expand(1, -1, maps[0].shape[1]), maps)
        return [mixture] * len(maps)

    def extra_repr(self) -> str:
        return f"streams={len(self.shapes)}"
