"""Scale layers: cross-stitch as the cross-connected paper has it for comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, final

import torch
from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.units.mixing import mix
from taskweave.units.unit import MapUnit


@final
class ScaleLayer(MapUnit):
    """Every stream keeps its feature and adds each other stream's, every channel times a learned number.

    out_t = x_t + sum over s != t of scale_st * x_s, per channel.
    Kawakami et al., "Cross-connected networks for multi-task learning of detection and segmentation", figure 1 (b): a
    cross-stitch network made by "replacing cross-connected layers with scale layers". The other reading, in which the own
    feature is scaled too, is `CrossStitch`: 10,752 numbers at the paper's ten stages against 5,376 here.
    Features in and out are (B, C, H, W) or (B, N, C), one shape for all streams. `scale` is (K, K - 1, C): by destination,
    then by the other streams in order.

    Args:
        shapes: Shapes of the features that meet.
        other_weight: Initial value of all scales. With 0 the streams start exactly as they are, and the scales do learn.

    Raises:
        ValueError: There are fewer than two streams, or channels or sizes differ.

    Deviation: the paper does not say where the scales start; .1 is the cross-stitch paper's alpha_D.
    """

    title: ClassVar[str] = "cross-stitch (scale layers)"

    def __init__(self, shapes: Sequence[FeatureShape], *, other_weight: float = 0.1) -> None:
        super().__init__(shapes)
        self.require_equal_channels("use CrossConnection, which projects")
        self.require_equal_sizes("use CrossConnection or NDDR, which resize")
        count, channels = len(self.shapes), self.shapes[0].channels
        self.scale = nn.Parameter(torch.full((count, count - 1, channels), float(other_weight)))
        self._exact = other_weight == 0

    @property
    def exact_start(self) -> bool:
        """Exact for finite features when the scales start at 0."""
        return self._exact

    def fuse(self, maps: list[Tensor]) -> list[Tensor]:
        self.require_alike(maps)
        channels = maps[0].shape[1]
        if self.scale.shape[2] != channels:
            raise ValueError(
                f"this ScaleLayer has scales for {self.scale.shape[2]} channels, got {channels}; "
                "give each connection its own unit"
            )
        own = torch.ones_like(self.scale[0, :1])
        rows = [torch.cat([row[:t], own, row[t:]]) for t, row in enumerate(self.scale)]
        return mix(torch.stack(rows), maps)

    def extra_repr(self) -> str:
        return f"streams={len(self.shapes)}, scales={tuple(self.scale.shape)}"
