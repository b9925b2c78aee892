"""NDDR layers: neural discriminative dimensionality reduction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from taskweave.features import FeatureShape
from taskweave.units.mixing import is_identity, mixing_matrix
from taskweave.units.unit import MapUnit, resized

Order = Literal["authors", "paper", "none"]
Initial = Literal["diagonal", "xavier"]


@final
class NDDR(MapUnit):
    """Every stream goes on with its own 1x1 convolution of all streams' features concatenated.

    out_t = W_t [x_1; ...; x_K], W_t in R^(C_t x sum_s C_s).
    Gao et al., "NDDR-CNN: Layerwise feature fusing in multi-task CNNs" (CVPR 2019), eqs. 1-3.

    Features are (B, C, H, W) or (B, N, C). Channels may differ: output t has C_t channels, and another stream's diagonal
    is laid from the first channel as far as both reach. Sizes of maps may differ: the others are resized to the
    destination's (bilinear, align_corners=False); numbers of tokens may not.

    The initial network equals the single networks exactly only with order "none" and weights (1, 0): a fresh batch norm
    divides by sqrt(1 + eps) in eval mode, standardises in train mode, and the ReLU cuts negative features. See
    `taskweave.calibrate`. Weight decay belongs on W (the paper's constraint on it).

    Args:
        self_weight: Initial diagonal of W_t for its own stream's channels (alpha of eq. 3).
        other_weight: Initial diagonal for each other stream's (beta of eq. 3); None for (1 - self_weight) / (K - 1).
        order: "authors", as their code: convolution without bias -> batch norm (momentum .05, eps 1e-3) -> ReLU;
            "paper", as their text: batch norm of the input (torch's momentum .1, eps 1e-5) -> convolution;
            "none": the convolution alone.
        initial: "diagonal", or "xavier" (uniform; the two weights are then not used).

    Raises:
        ValueError: There are fewer than two streams, or an option has another value.

    Deviations: the paper has K = 2 only; for K > 2 all other streams share what self_weight leaves. Batch norm works per
    channel, so that of the concatenation ("paper") is one per source, before resizing, shared by all destinations.
    """

    title: ClassVar[str] = "NDDR"
    sgd_lr_multiplier: ClassVar[float] = 100.0
    decays: ClassVar[bool] = True
    weighted_start: ClassVar[dict[str, str]] = {"initial": "diagonal"}

    def __init__(
        self,
        shapes: Sequence[FeatureShape],
        *,
        self_weight: float = 0.9,
        other_weight: float | None = None,
        order: Order = "authors",
        initial: Initial = "diagonal",
    ) -> None:
        super().__init__(shapes)
        if order not in ("authors", "paper", "none"):
            raise ValueError(f"NDDR's order is 'authors', 'paper' or 'none', got {order!r}")
        if initial not in ("diagonal", "xavier"):
            raise ValueError(f"NDDR starts 'diagonal' or 'xavier', got {initial!r}")
        channels = [shape.channels for shape in self.shapes]
        self.order = order
        self.convolutions = nn.ModuleList(nn.Conv2d(sum(channels), c, 1, bias=False) for c in channels)
        start = mixing_matrix(len(channels), self_weight, other_weight)
        for t, convolution in enumerate(self.convolutions):
            assert isinstance(convolution, nn.Conv2d)
            if initial == "xavier":
                nn.init.xavier_uniform_(convolution.weight)
            else:
                _set_diagonals(convolution.weight, start[t], channels)
        self.norms = nn.ModuleList(_norm(c, order) for c in channels if order != "none")
        # where convolutions are exact: not in TF32 or bfloat16
        self.exact_start = order == "none" and initial == "diagonal" and is_identity(start)

    def fuse(self, maps: list[Tensor]) -> list[Tensor]:
        if self.order == "paper":
            maps = [norm(x) for norm, x in zip(self.norms, maps, strict=True)]
        alike = all(x.shape[-2:] == maps[0].shape[-2:] for x in maps)
        together = torch.cat(maps, 1) if alike else None
        outputs = []
        for t, convolution in enumerate(self.convolutions):
            inputs = together if together is not None else torch.cat([resized(x, maps[t]) for x in maps], 1)
            out = convolution(inputs)
            outputs.append(F.relu(self.norms[t](out), inplace=True) if self.order == "authors" else out)
        return outputs

    def extra_repr(self) -> str:
        return f"order={self.order!r}"


def _norm(channels: int, order: Order) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, momentum=0.05, eps=1e-3) if order == "authors" else nn.BatchNorm2d(channels)


@torch.no_grad()
def _set_diagonals(weight: Tensor, row: Sequence[float], channels: Sequence[int]) -> None:
    """Fill (C_t, sum C_s, 1, 1) with row[s] times a (rectangular) identity for every source."""
    blocks = [torch.eye(weight.shape[0], c) * value for c, value in zip(channels, row, strict=True)]
    weight.copy_(torch.cat(blocks, 1)[:, :, None, None])
