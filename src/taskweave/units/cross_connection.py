"""Units whose streams read each other along links: cross-connections, and MT-UNet's cross-talk."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from taskweave.features import FeatureShape
from taskweave.units.unit import Link, MapUnit, positions_of, resized


class Linked(MapUnit):
    """A unit whose streams read each other along links.

    Raises:
        ValueError: A link does not exist or is given twice.
    """

    def __init__(self, shapes: Sequence[FeatureShape], links: Sequence[Link]) -> None:
        super().__init__(shapes)
        self.links = positions_of(links, self.shapes, self.kind)

    def sources(self, target: int) -> frozenset[int]:
        return frozenset((target, *(s for s, t in self.links if t == target)))

    def fuse(self, maps: list[Tensor]) -> list[Tensor]:
        fused = self.fuse_some(dict(enumerate(maps)), range(len(maps)))
        return [fused[t] for t in range(len(maps))]

    def forward_some(self, features: Mapping[int, Tensor], targets: Collection[int]) -> dict[int, Tensor]:
        fused = self.fuse_some({i: self.to_map(x) for i, x in features.items()}, targets)
        return {t: self.from_map(x) for t, x in fused.items()}

    @abstractmethod
    def fuse_some(self, maps: Mapping[int, Tensor], targets: Collection[int]) -> dict[int, Tensor]:
        """`forward_some` on feature maps (B, C, H, W)."""


@final
class CrossConnection(Linked):
    """Every stream keeps its feature and adds what a 1x1 convolution and ReLU make of each other stream's.

    out_t = x_t + sum over links (s, t) of gate_st * ReLU(W_st x_s + b_st), all from the features as they came.
    Kawakami et al., "Cross-connected networks for multi-task learning of detection and segmentation", eq. 1.

    Features are (B, C, H, W) or (B, N, C). Channels may differ, and sizes of maps too: what a link makes at the source's
    size is resized to the destination's (bilinear, align_corners=False). Numbers of tokens may not differ.

    Args:
        gate: Whether a learned factor per channel of the destination follows the ReLU. It starts at 0, so that the streams
            start exactly as they are; the convolution learns from the second step on. (Zero weights would be dead: the
            gradient of ReLU at 0 is 0.)
        links: The (source, destination) pairs that are linked, by name or position of the stream; () for every pair.
        linear: Whether the ReLU is left out. With it a link can only add non-negative values.

    Raises:
        ValueError: A link does not exist or is given twice.

    Deviations: "random initialisation" is read as He's for the convolution that precedes a ReLU, biases 0; gate, links
    and linear are not in the paper.
    """

    title: ClassVar[str] = "cross-connected"
    decays: ClassVar[bool] = True

    def __init__(
        self,
        shapes: Sequence[FeatureShape],
        *,
        gate: bool = False,
        links: tuple[Link, ...] = (),
        linear: bool = False,
    ) -> None:
        super().__init__(shapes, links)
        self.linear = linear
        self.convolutions = nn.ModuleDict()
        self.gates = nn.ParameterDict()
        for s, t in self.links:
            convolution = nn.Conv2d(self.shapes[s].channels, self.shapes[t].channels, 1)
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="linear" if linear else "relu")
            assert convolution.bias is not None
            nn.init.zeros_(convolution.bias)
            self.convolutions[_key(s, t)] = convolution
            if gate:
                self.gates[_key(s, t)] = nn.Parameter(torch.zeros(self.shapes[t].channels))
        self.exact_start = gate

    def weight_of(self, source: int, target: int) -> Tensor:
        """Return the weight of a link, gate included: (C_target, C_source, 1, 1).

        Raises:
            KeyError: There is no such link.
        """
        key = _key(source, target)
        convolution = self.convolutions[key]
        assert isinstance(convolution, nn.Conv2d)
        gate = self.gates[key][:, None, None, None] if key in self.gates else 1.0
        return convolution.weight * gate

    def fuse_some(self, maps: Mapping[int, Tensor], targets: Collection[int]) -> dict[int, Tensor]:
        outputs = {t: maps[t] for t in targets}
        for s, t in self.links:
            if t in outputs:
                outputs[t] = outputs[t] + resized(self._carried(s, t, maps[s]), maps[t])
        return outputs

    def _carried(self, source: int, target: int, x: Tensor) -> Tensor:
        """What a link makes of its source's feature."""
        key = _key(source, target)
        y: Tensor = self.convolutions[key](x)
        if not self.linear:
            y = F.relu(y, inplace=True)
        return y * self.gates[key].to(y.dtype)[:, None, None] if key in self.gates else y

    def extra_repr(self) -> str:
        return f"links={list(self.links)}, linear={self.linear}"


def _key(source: int, target: int) -> str:
    return f"{source}_to_{target}"


@final
class CrossTalk(Linked):
    """Every stream goes on with its own feature and, concatenated behind it, all others'.

    out_t = [x_t; x_(t+1); ...; x_K; x_1; ...; x_(t-1)], sum_s C_s channels: the next layer must take them, as the decoders
    of `taskweave.networks.unet.mt_unet` do. There are no parameters here; what is learned is that layer's wider weight.
    MT-UNet (paper 5178), "Cross-talk between the decoders": skip connections from decoder block 2 of each task to block 3
    of the others.

    Features are (B, C, H, W) or (B, N, C). Channels may differ; maps of other sizes are resized to the own (bilinear,
    align_corners=False).

    Args:
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
        super().__init__(shapes, links)

    def fuse_some(self, maps: Mapping[int, Tensor], targets: Collection[int]) -> dict[int, Tensor]:
        return {t: self._heard(maps, t) for t in targets}

    def _heard(self, maps: Mapping[int, Tensor], target: int) -> Tensor:
        count, sources = len(self.shapes), self.sources(target)
        in_turn = [s for s in (*range(target, count), *range(target)) if s in sources]
        heard = [resized(maps[s], maps[target]) for s in in_turn]
        return heard[0] if len(heard) == 1 else torch.cat(heard, 1)
