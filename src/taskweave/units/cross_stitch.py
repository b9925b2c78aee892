"""Cross-stitch units, and two that are called so: one mixture for all, and scale layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, final

import torch
from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.units.mixing import Matrix, given_matrix, is_identity, mix, mixing_matrix
from taskweave.units.unit import MapUnit


@final
class CrossStitch(MapUnit):
    """Every stream goes on with a learned weighted sum of all streams' features.

    out_t = sum_s alpha[t, s] * x_s, at each location; t is the destination, s the source.
    Misra et al., "Cross-stitch networks for multi-task learning" (CVPR 2016), eq. 1; K streams as in the pet paper's eq. 1.

    Features in and out are (B, C, H, W) or (B, N, C), one shape for all streams. A unit per layer may serve several
    connections whatever their channels; one per channel only connections of C channels.

    Args:
        self_weight: Initial alpha[t, t] (the paper's alpha_S).
        other_weight: Initial alpha[t, s] (alpha_D); None for (1 - self_weight) / (K - 1), so that rows sum to one.
        matrix: Any initial K x K matrix, rows = destinations; if given, the two weights are not used.
        per: "channel" for K x K numbers per channel, `alpha` (K, K, C), as the paper has it for segmentation and normals;
            "layer" for `alpha` (K, K, 1), as for detection and attributes.

    Raises:
        ValueError: There are fewer than two streams, channels or sizes differ, or the matrix is not K x K.

    Deviations: the printed eq. 3 exchanges the indices of d loss / d alpha_AB; the gradient here is that of eq. 1.

    >>> unit = CrossStitch([FeatureShape.image(8, 4, 4)] * 2, self_weight=0.9)
    >>> unit.alpha.shape
    torch.Size([2, 2, 8])
    """

    title: ClassVar[str] = "cross-stitch"
    sgd_lr_multiplier: ClassVar[float] = 100.0

    def __init__(
        self,
        shapes: Sequence[FeatureShape],
        *,
        self_weight: float = 0.9,
        other_weight: float | None = None,
        matrix: Matrix | None = None,
        per: Literal["channel", "layer"] = "channel",
    ) -> None:
        super().__init__(shapes)
        self.require_one_shape()
        if per not in ("channel", "layer"):
            raise ValueError(f"CrossStitch has its weights per 'channel' or per 'layer', got {per!r}")
        count = len(self.shapes)
        start = (
            mixing_matrix(count, self_weight, other_weight) if matrix is None else given_matrix(matrix, count, self.kind)
        )
        channels = self.shapes[0].channels if per == "channel" else 1
        self.alpha = nn.Parameter(torch.tensor(start)[:, :, None].repeat(1, 1, channels))
        self.exact_start = is_identity(start)

    def fuse(self, maps: list[Tensor]) -> list[Tensor]:
        self.require_alike(maps)
        channels = maps[0].shape[1]
        if self.alpha.shape[2] not in (1, channels):
            raise ValueError(
                f"this CrossStitch has weights for {self.alpha.shape[2]} channels, got {channels}; "
                "give each connection its own unit, or build it with per='layer'"
            )
        return mix(self.alpha.expand(-1, -1, channels), maps)

    def extra_repr(self) -> str:
        return (
            f"streams={self.alpha.shape[0]}, weights={self.alpha.shape[2]} x {self.alpha.shape[0]} x {self.alpha.shape[1]}"
        )


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
        weight: Initial value of every alpha; the authors' is 1.

    Raises:
        ValueError: There are fewer than two streams, or channels or sizes differ.
    """

    title: ClassVar[str] = "cross-stitch (one mixture)"

    def __init__(self, shapes: Sequence[FeatureShape], *, weight: float = 1.0) -> None:
        super().__init__(shapes)
        self.require_one_shape()
        self.alpha = nn.Parameter(torch.full((len(self.shapes),), weight))

    def fuse(self, maps: list[Tensor]) -> list[Tensor]:
        self.require_alike(maps)
        (mixture,) = mix(self.alpha[None, :, None].expand(1, -1, maps[0].shape[1]), maps)
        return [mixture] * len(maps)

    def extra_repr(self) -> str:
        return f"streams={len(self.shapes)}"


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
        other_weight: Initial value of all scales. With 0 the streams start exactly as they are, and the scales do learn.

    Raises:
        ValueError: There are fewer than two streams, or channels or sizes differ.

    Deviation: the paper does not say where the scales start; .1 is the cross-stitch paper's alpha_D.
    """

    title: ClassVar[str] = "cross-stitch (scale layers)"

    def __init__(self, shapes: Sequence[FeatureShape], *, other_weight: float = 0.1) -> None:
        super().__init__(shapes)
        self.require_one_shape()
        count, channels = len(self.shapes), self.shapes[0].channels
        self.scale = nn.Parameter(torch.full((count, count - 1, channels), float(other_weight)))
        self.exact_start = other_weight == 0

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
