"""VGG-16's convolutions, from which several networks here are made."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Annotated

from annotated_types import Ge
from torch import nn

from taskweave.heads.layers import ConvReLU, Norm
from taskweave.streams.stream import Stage

Width = Annotated[int, Ge(4)]
_DEPTHS = (2, 2, 3, 3, 3)

CROSS_CONNECTED = tuple(f"conv{block}_{i}" for block, depth in enumerate(_DEPTHS[:4], 1) for i in range(1, depth + 1))
"""conv1_1 ... conv4_3: the ten stages of the cross-connected paper."""


def block_widths(width: int = 64) -> tuple[int, int, int, int, int]:
    """Channels of the five blocks: 64, 128, 256, 512, 512 for VGG-16's own width."""
    return (width, 2 * width, 4 * width, 8 * width, 8 * width)


def vgg16_body(
    pools: Sequence[nn.Module],
    *,
    width: int = 64,
    last_dilation: int = 1,
    batch_norm: Norm | None = None,
) -> nn.Sequential:
    """conv1_1, conv1_2, pool1, conv2_1 ... conv5_3, each convolution with its ReLU.

    Source: Simonyan and Zisserman (ICLR 2015), configuration D.

    Args:
        pools: After the first, second, ... block; the last blocks may go without.
        width: Channels of the first block; see `block_widths`.
        last_dilation: Of the fifth block.
        batch_norm: None, or (momentum, eps).
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels = 3
    for block, (out, depth) in enumerate(zip(block_widths(width), _DEPTHS, strict=True), 1):
        for i in range(1, depth + 1):
            layers[f"conv{block}_{i}"] = ConvReLU(
                channels, out, kernel_size=3, dilation=last_dilation if block == 5 else 1, batch_norm=batch_norm
            )
            channels = out
        if block <= len(pools):
            layers[f"pool{block}"] = pools[block - 1]
    return nn.Sequential(layers)


def body_stages(features: nn.Module) -> dict[str, Stage]:
    """A stage for each child of a network's `features`, by its name."""
    return {name: (f"features.{name}",) for name, _ in features.named_children()}
