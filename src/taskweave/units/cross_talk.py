"""MT-UNet's cross-talk: every stream is handed the others' features beside its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import final

import torch
from torch import Tensor

from taskweave.units.maps import MapUnit, resized


@final
class CrossTalk(MapUnit):
    """Every stream goes on with its own feature and, concatenated behind it, all others'.

    out_t = [x_t; x_(t+1); ...; x_K; x_1; ...; x_(t-1)], sum_s C_s channels: the next layer must take them, as the decoders
    of `taskweave.networks.mt_unet` do. There are no parameters here; what is learned is that layer's wider weight.
    MT-UNet (paper 5178), "Cross-talk between the decoders": skip connections from decoder block 2 of each task to block 3
    of the others.

    Features: (B, C, H, W) or (B, N, C); channels may differ, and maps of other sizes are resized to the own (bilinear,
    align_corners=False).

    Deviations: the paper does not print what happens to a feature that crosses. We concatenate, as all its other skip
    connections do; to add instead, use `CrossConnection`, which keeps the channels. For K > 2 (the paper has two) the
    others follow in turn, beginning with the next one.
    """

    def fuse(self, maps: list[Tensor]) -> list[Tensor]:
        return [_heard(maps, t) for t in range(len(maps))]

    def forward_some(self, features: Mapping[int, Tensor], targets: Collection[int]) -> dict[int, Tensor]:
        maps = [self.to_map(features[i]) for i in range(len(self.shapes))]
        return {t: self.from_map(_heard(maps, t)) for t in targets}


def _heard(maps: list[Tensor], target: int) -> Tensor:
    in_turn = maps[target:] + maps[:target]
    return torch.cat([resized(x, maps[target]) for x in in_turn], 1)
