"""Heads that pool: one prediction for a whole image, or one for each region of interest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, final

import torch
from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.heads.layers import Count, FullyConnected, Head, Rate, RoiAttributes, RoiOutputs, small_linear


@final
class PooledLinear(Head):
    """Global average pooling, then a linear layer; (B, C, h, w) of any size -> (B, channels).

    For image-level labels: logits of classes or of ages, four numbers of a box. Initialised from N(0, .01), biases zero.
    Source: Lin et al., Network in network (ICLR 2014), section 3.2.

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


@final
class RoiPooling(nn.Module):
    """The maximum in each of size x size parts of every region; (B, C, h, w) and per image (r_i, 4) -> (R, C, size, size).

    R = sum r_i, image by image; R may be 0. Regions are x1, y1, x2, y2 in pixels, x2 and y2 edges, rounded to cells.
    Source: Girshick, Fast R-CNN (ICCV 2015), section 2.1. His regions end in their last pixel, so 1 is taken off x2, y2.

    Args:
        size: Parts a side.
        stride: Of the feature. Its cell i is centred on pixel stride * i, as convolutions and pools that are padded to
            keep their grid make it: cell i stands for the pixels that round to it.
    """

    def __init__(self, size: int = 6, *, stride: int = 16) -> None:
        super().__init__()
        from torchvision.ops import RoIPool  # here: `taskweave.networks` is imported without torchvision

        self.pool = RoIPool((size, size), 1 / stride)

    def forward(self, x: Tensor, rois: Sequence[Tensor]) -> Tensor:
        if len(rois) != len(x):
            raise ValueError(f"{len(x)} images need as many lists of regions, got {len(rois)}")
        precise = x.to(torch.promote_types(x.dtype, torch.float32))  # half precision would round the regions
        last = precise.new_tensor([0.0, 0.0, 1.0, 1.0])
        pooled: Tensor = self.pool(precise, [roi.to(precise) - last for roi in rois])
        return pooled.to(x.dtype)


@final
class RoiBoxes(nn.Module):
    """Class scores and a box per class of every region; (R, in_features, 1, 1) -> RoiOutputs.

    Initialised from N(0, .01) for scores, N(0, .001) for boxes.
    Source: Girshick, Fast R-CNN (ICCV 2015), sections 2.1 and 2.3.

    Args:
        channels: Classes, background included, which is class 0 of the output.

    Raises:
        ValueError: There is no class beside background.
    """

    def __init__(self, in_features: int, channels: int) -> None:
        super().__init__()
        if channels < 2:
            raise ValueError(f"a detector needs at least one class, background not counted, got {channels - 1}")
        self.logits = small_linear(in_features, channels, std=0.01)
        self.deltas = small_linear(in_features, 4 * channels, std=0.001)

    def forward(self, x: Tensor, rois: Sequence[Tensor]) -> RoiOutputs:
        x = x.flatten(1)
        return RoiOutputs(self.logits(x), self.deltas(x), tuple(rois))


@final
class RoiScores(nn.Module):
    """A score per attribute (before the sigmoid) of every region; (R, in_features, 1, 1) -> RoiAttributes."""

    def __init__(self, in_features: int, channels: int) -> None:
        super().__init__()
        if channels < 1:
            raise ValueError(f"an attribute head needs at least one attribute, got {channels}")
        self.logits = small_linear(in_features, channels, std=0.01)

    def forward(self, x: Tensor, rois: Sequence[Tensor]) -> RoiAttributes:
        return RoiAttributes(self.logits(x.flatten(1)), tuple(rois))
