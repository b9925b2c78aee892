"""Cross-stitch units."""

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
        shapes: Shapes of the features that meet.
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
        self.require_equal_channels("use CrossConnection, which projects")
        self.require_equal_sizes("use CrossConnection or NDDR, which resize")
        if per not in ("channel", "layer"):
            raise ValueError(f"CrossStitch has its weights per 'channel' or per 'layer', got {per!r}")
        count = len(self.shapes)
        start = (
            mixing_matrix(count, self_weight, other_weight) if matrix is None else given_matrix(matrix, count, self.kind)
        )
        channels = self.shapes[0].channels if per == "channel" else 1
        self.alpha = nn.Parameter(torch.tensor(start)[:, :, None].repeat(1, 1, channels))
        self._exact = is_identity(start)

    @property
    def exact_start(self) -> bool:
        """Exact for finite features when the start is the identity matrix."""
        return self._exact

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
