"""MT-UNet's cross-talk: every stream is handed the others' features beside its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import final

import torch
from torch import Tensor

from taskweave.features import FeatureShape
from taskweave.units.unit import Link, MapUnit, positions_of, resized


@final
class CrossTalk(MapUnit):
    """Every stream goes on with its own feature and, concatenated behind it, all others'.

    out_t = [x_t; x_(t+1); ...; x_K; x_1; ...; x_(t-1)], sum_s C_s channels: the next layer must take them, as the decoders
    of `taskweave.networks.mt_unet` do. There are no parameters here; what is learned is that layer's wider weight.
    MT-UNet (paper 5178), "Cross-talk between the decoders": skip connections from decoder block 2 of each task to block 3
    of the others.

    Features are (B, C, H, W) or (B, N, C). Channels may differ; maps of other sizes are resized to the own (bilinear,
    align_corners=False).

    Args:
        shapes: Shapes of the features that meet.
        links: The (source, destination) pairs that are linked, by name or position of the stream; () for every pair. A
            stream to which no link leads keeps its feature: with links to one stream alone, features and gradients flow one
            way.

    Raises:
        ValueError: A link does not exist or is given twice.

    Deviations: the paper does not print what happens to a feature that crosses. We concatenate, as all its other skip
    connections do; to add instead, use `CrossConnection`, which keeps the channels. For K > 2 (the paper has two) the
    others follow in turn, beginning with the next one.
    """

    def __init__(self, shapes: Sequence[FeatureShape], *, links: tuple[Link, ...] = ()) -> None:
        super().__init__(shapes)
        self.links = positions_of(links, self.shapes, self.kind)

    def sources(self, target: int) -> frozenset[int]:
        return frozenset((target, *(s for s, t in self.links if t == target)))

    def fuse(self, maps: list[Tensor]) -> list[Tensor]:
        return [self._heard(dict(enumerate(maps)), t) for t in range(len(maps))]

    def forward_some(self, features: Mapping[int, Tensor], targets: Collection[int]) -> dict[int, Tensor]:
        maps = {i: self.to_map(x) for i, x in features.items()}
        return {t: self.from_map(self._heard(maps, t)) for t in targets}

    def _heard(self, maps: Mapping[int, Tensor], target: int) -> Tensor:
        count, sources = len(self.shapes), self.sources(target)
        in_turn = [s for s in (*range(target, count), *range(target)) if s in sources]
        heard = [resized(maps[s], maps[target]) for s in in_turn]
        return heard[0] if len(heard) == 1 else torch.cat(heard, 1)
