"""Units that gather the stages of one stream: NDDR-CNN's shortcut and the mixing of sluice networks."""

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


@final
class LayerMixing(MapUnit):
    """Gathers the stages of one stream and hands on a learned weighted sum of them in place of the last.

    out = sum_l beta_l * resize(x_l), resized to the last stage (bilinear, align_corners=False).
    Ruder et al., "Latent multi-task architecture learning" (AAAI 2019), the beta of sluice networks.
    Use it with ``connect(..., gather=[LayerMixing])``: L features in, one out, (B, C, H, W) or (B, N, C).

    Args:
        shapes: Shapes of the gathered features, in the order of the stages.
        last_weight: Initial beta of the last stage (theirs: .9); the others share the rest equally.
        project: Whether stages whose channels differ from the last's get a 1x1 convolution to them (no bias, He
            initialisation); otherwise such stages are refused.

    Raises:
        ValueError: There are fewer than two stages, or channels differ and `project` is off.
    """

    def __init__(self, shapes: Sequence[FeatureShape], *, last_weight: float = 0.9, project: bool = False) -> None:
        super().__init__(shapes)
        if not project:
            self.require_equal_channels("use project=True, which gives the earlier stages a 1x1 convolution")
        count, channels = len(self.shapes), self.shapes[-1].channels
        beta = torch.full((count,), (1 - last_weight) / (count - 1))
        beta[-1] = last_weight
        self.beta = nn.Parameter(beta)
        self.projections = nn.ModuleList(
            nn.Identity() if shape.channels == channels else _projection(shape.channels, channels) for shape in self.shapes
        )
        self.exact_start = last_weight == 1

    def fuse(self, maps: list[Tensor]) -> list[Tensor]:
        last = maps[-1]
        beta = self.beta.to(last.dtype)
        out = beta[-1] * last
        for i, projection in enumerate(list(self.projections)[:-1]):
            out = out + beta[i] * resized(projection(maps[i]), last)
        return [out]


def _projection(source: int, target: int) -> nn.Conv2d:
    convolution = nn.Conv2d(source, target, 1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="linear")
    return convolution
