"""Heads of classification networks: one prediction for a whole image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, final

from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.heads.head import Head
from taskweave.heads.layers import Count, FullyConnected, Rate, small_linear


@final
class PooledLinear(Head):
    """Global average pooling, then a linear layer; (B, C, h, w) of any size -> (B, channels).

    For image-level labels: logits of classes or of ages, four numbers of a box. As in ResNets and most of timm's networks
    (Lin et al., Network in network, ICLR 2014, section 3.2, is the source of the pooling). Weights are initialised from
    N(0, .01), biases with zero, so that a fresh head gives every class about the same probability.

    Args:
        shape: Shape of the feature that is read.
        channels: Of the output, e.g. classes.

    Raises:
        ValueError: There is no channel or no output; or, when called, the feature is no map of those channels.
    """

    last: ClassVar[tuple[str, ...]] = ("linear",)

    def __init__(self, shape: FeatureShape, channels: int) -> None:
        super().__init__(shape, channels)
        if min(shape.channels, channels) < 1:
            raise ValueError(f"PooledLinear needs at least one channel and one output, got {shape.channels} and {channels}")
        self.linear = small_linear(shape.channels, channels, std=0.01)

    def finish(self, x: Tensor) -> Tensor:
        if x.ndim != 4 or x.shape[1] != self.linear.in_features:
            raise ValueError(
                f"PooledLinear expects a feature (B, {self.linear.in_features}, h, w), got {tuple(x.shape)}; "
                "put it after the last stage that still is a map, and build it with that stage's channels"
            )
        y: Tensor = self.linear(x.mean((-2, -1)))
        return y


@final
class VGGClassifier(Head):
    """VGG's fc6, fc7 (each with ReLU and dropout) and fc8 on grid x grid means; (B, C, h, w) -> (B, channels), any h and w.

    `fc6` and `fc7` give (B, hidden, 1, 1), so that units read them as maps.
    Source: Simonyan and Zisserman (ICLR 2015), table 1; the means are torchvision's, for pictures of other sizes than 224.

    Args:
        shape: Shape of the feature that is read.
        channels: Of the output, e.g. classes.
        grid: Cells a side of the means; VGG-16 sees 7 at 224 pixels.
        hidden: Channels of fc6 and fc7; VGG-16 has 4096.
        dropout: After fc6 and after fc7.
    """

    stages: ClassVar[Mapping[str, tuple[str, ...]]] = {"fc6": ("pool", "fc6"), "fc7": ("fc7",)}
    last: ClassVar[tuple[str, ...]] = ("fc8",)

    def __init__(
        self, shape: FeatureShape, channels: int, *, grid: Count = 7, hidden: Count = 4096, dropout: Rate = 0.5
    ) -> None:
        super().__init__(shape, channels)
        self.pool = nn.AdaptiveAvgPool2d((grid, grid))
        self.fc6 = FullyConnected(shape.channels * grid**2, hidden, dropout=dropout)
        self.fc7 = FullyConnected(hidden, hidden, dropout=dropout)
        self.fc8 = small_linear(hidden, channels, std=0.01)

    def finish(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc8(x.flatten(1))
        return logits
