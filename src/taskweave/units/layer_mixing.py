"""A stream's stages mixed before its head, as sluice networks do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.units.unit import MapUnit, resized


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
        self._exact = last_weight == 1

    @property
    def exact_start(self) -> bool:
        return self._exact

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
