"""Soft attention: a feature weighed by a mask that others of its stream give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, final

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.units.unit import MapUnit, resized


@final
class Attention(MapUnit):
    """Gathers features of one stream and hands on the last, every number of it weighed by a learned mask.

    out = m * x_L,  m = sigmoid(BN(W_2 ReLU(BN(W_1 [x_1; ...; x_(L-1)])))), m in [0, 1], as large as x_L.
    MT-UNet (paper 5178), "Task specific attention" and "Architecture Design and Protocols": L = 2, x_1 and x_2 the outputs
    of the two convolutions of a decoder block, W_1 and W_2 3x3. With three features and kernel_size=1 it is the mask of Liu
    et al., "End-to-end multi-task learning with attention" (CVPR 2019), eqs. 1 and 2.
    Inside a network call it with the features; between stages, gather them: ``Connection({"seg": ("a", "b")}, unit)``.

    Features are (B, C, H, W) or (B, N, C). Their channels may differ; maps are resized to the last (bilinear,
    align_corners=False).

    Args:
        shapes: Shapes of the features, the last one being weighed.
        hidden: Channels of W_1 x; None for those of x_L times `share`. The paper does not print them.
        share: Of x_L's channels, for W_1 x where `hidden` is None; 1/4 in MTAN's code for ResNets.
        kernel_size: Of both convolutions, odd.
        norm: Batch norm "before" the activations, or "after" them as in the paper's other convolutions, where it takes
            the mask out of [0, 1]. The paper asks for "batchnorm" and for a mask in [0, 1], and prints no order.
        per: "channel" for a mask per channel of x_L, "pixel" for one mask for all channels. The paper's "pixel-wise"
            product is read as the first, as in the paper that it follows.

    Raises:
        ValueError: There are fewer than two features, or an option has another value.
    """

    def __init__(
        self,
        shapes: Sequence[FeatureShape],
        *,
        hidden: Annotated[int, Ge(1)] | None = None,
        share: Annotated[float, Gt(0), Le(1)] = 1.0,
        kernel_size: Annotated[int, Ge(1)] = 3,
        norm: Literal["before", "after"] = "before",
        per: Literal["channel", "pixel"] = "channel",
    ) -> None:
        super().__init__(shapes)
        if norm not in ("before", "after") or per not in ("channel", "pixel"):
            raise ValueError(f"Attention: norm is 'before' or 'after', per 'channel' or 'pixel', got {norm!r} and {per!r}")
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"Attention's kernel_size is odd, so that the mask fits its feature; got {kernel_size}")
        sources, channels = sum(shape.channels for shape in self.shapes[:-1]), self.shapes[-1].channels
        middle = max(1, int(channels * share)) if hidden is None else hidden
        masks = channels if per == "channel" else 1
        self.mask = nn.Sequential(
            *_layer(sources, middle, kernel_size, nn.ReLU(), norm), *_layer(middle, masks, kernel_size, nn.Sigmoid(), norm)
        )

    def fuse(self, maps: list[Tensor]) -> list[Tensor]:
        last = maps[-1]
        return [self.mask(torch.cat([resized(x, last) for x in maps[:-1]], 1)) * last]


def _layer(sources: int, channels: int, kernel_size: int, activation: nn.Module, norm: str) -> list[nn.Module]:
    convolution = nn.Conv2d(sources, channels, kernel_size, padding=kernel_size // 2, bias=norm == "after")
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu" if isinstance(activation, nn.ReLU) else "linear")
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    rest = [nn.BatchNorm2d(channels), activation]
    return [convolution, *(rest if norm == "before" else reversed(rest))]
