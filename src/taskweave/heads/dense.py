"""Heads for dense tasks: a prediction for every cell of a feature map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, final

import torch
import torch.nn.functional as F
from annotated_types import Len
from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.heads.layers import ConvReLU, Count, Head, Norm, Rate, classifier

Rates = Annotated[tuple[Count, ...], Len(1)]
"""Dilations, in cells of the feature."""


@final
class LargeFOV(Head):
    """DeepLab's head with a large field of view.

    fc6 (3x3, dilated) -> fc7 (1x1) -> fc8 (1x1); (B, in_channels, h, w) -> (B, channels, h, w).

    Source: Chen et al., DeepLab (ICLR 2015), DeepLab-LargeFOV. `fc6` and `fc7` end after their dropout, as Caffe's
    in-place layers have it.

    Args:
        shape: Shape of the feature that is read.
        channels: Of the output, e.g. classes.
        hidden: Channels of fc6 and fc7.
        rate: Dilation of fc6.
        dropout: After fc6 and after fc7.
        batch_norm: (momentum, eps) of a batch norm after fc6 and fc7; None for none, or for its network's.
    """

    stages: ClassVar[Mapping[str, tuple[str, ...]]] = {"fc6": ("fc6",), "fc7": ("fc7",)}
    last: ClassVar[tuple[str, ...]] = ("fc8",)

    def __init__(
        self,
        shape: FeatureShape,
        channels: int,
        *,
        hidden: Count = 1024,
        rate: Count = 12,
        dropout: Rate = 0.5,
        batch_norm: Norm | None = None,
    ) -> None:
        super().__init__(shape, channels)
        self.fc6 = _hidden(shape.channels, hidden, kernel_size=3, dilation=rate, dropout=dropout, batch_norm=batch_norm)
        self.fc7 = _hidden(hidden, hidden, kernel_size=1, dilation=1, dropout=dropout, batch_norm=batch_norm)
        self.fc8 = classifier(hidden, channels)

    def finish(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc8(x)
        return logits


@final
class ASPP(Head):
    """Atrous spatial pyramid pooling of DeepLab v2: the sum of one classifier per rate.

    Source: Chen et al., DeepLab v2 (TPAMI 2018), section 3.2.

    Args:
        shape: Shape of the feature that is read.
        channels: Of the output, e.g. classes.
        rates: Dilations, in cells of the feature; None for the paper's (6, 12, 18, 24) at stride 8, halved at 16 and
            quartered at 32. For small pictures small rates do more: (1, 2, 4, 6) at 128 px.
        hidden: 1024 gives each rate an fc6 and fc7 of its own (the VGG form); None makes each rate a single dilated 3x3
            layer to the classes (the ResNet form), after `dropout`.
        dropout: After fc6 and fc7, or before the single layers.
        batch_norm: (momentum, eps) of a batch norm after fc6 and fc7; None for none, or for its network's.

    Raises:
        ValueError: There is no rate, or one below 1.
    """

    last: ClassVar[tuple[str, ...]] = ("fc8",)

    def __init__(
        self,
        shape: FeatureShape,
        channels: int,
        *,
        rates: Rates | None = None,
        hidden: Count | None = 1024,
        dropout: Rate = 0.5,
        batch_norm: Norm | None = None,
    ) -> None:
        super().__init__(shape, channels)
        self.hidden = hidden
        self.fc6, self.fc7, self.fc8 = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        self.dropout = nn.Dropout(dropout) if hidden is None else nn.Identity()
        for rate in _rates(rates, (6, 12, 18, 24), shape):
            if hidden is None:
                self.fc8.append(classifier(shape.channels, channels, kernel_size=3, dilation=rate))
                continue
            self.fc6.append(
                _hidden(shape.channels, hidden, kernel_size=3, dilation=rate, dropout=dropout, batch_norm=batch_norm)
            )
            self.fc7.append(_hidden(hidden, hidden, kernel_size=1, dilation=1, dropout=dropout, batch_norm=batch_norm))
            self.fc8.append(classifier(hidden, channels))

    def finish(self, x: Tensor) -> Tensor:
        x = self.dropout(x)
        branches = [x] * len(self.fc8)
        if self.hidden is not None:
            branches = [fc7(fc6(x)) for fc6, fc7 in zip(self.fc6, self.fc7, strict=True)]
        return torch.stack([fc8(branch) for fc8, branch in zip(self.fc8, branches, strict=True)]).sum(0)


@final
class AsppV3(Head):
    """Atrous spatial pyramid pooling of DeepLab v3: 1x1, one 3x3 per rate and the picture's mean, joined; a classifier.

    Its stage `aspp` is the joined feature, (B, hidden, h, w).
    Source: Chen et al., Rethinking atrous convolution (2017), section 3.3.
    Deviation: no batch norm on the picture's mean, which is one number per channel and would refuse a batch of one.

    Args:
        shape: Shape of the feature that is read.
        channels: Of the output, e.g. classes.
        rates: Dilations, in cells of the feature; None for the paper's (12, 24, 36) at stride 8, halved at 16.
        hidden: Channels of every branch and of the joined feature.
        dropout: Before the classifier.
        batch_norm: (momentum, eps) of the batch norms after all but the mean's convolution; None for none.

    Raises:
        ValueError: There is no rate, or one below 1.
    """

    stages: ClassVar[Mapping[str, tuple[str, ...]]] = {"aspp": ("pyramid",)}
    last: ClassVar[tuple[str, ...]] = ("classifier",)

    def __init__(
        self,
        shape: FeatureShape,
        channels: int,
        *,
        rates: Rates | None = None,
        hidden: Count = 256,
        dropout: Rate = 0.0,
        batch_norm: Norm | None = (0.1, 1e-5),
    ) -> None:
        super().__init__(shape, channels)
        used = _rates(rates, (12, 24, 36), shape)
        self.pyramid = _Pyramid(shape.channels, rates=used, hidden=hidden, dropout=dropout, batch_norm=batch_norm)
        self.classifier = classifier(hidden, channels)

    def finish(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(x)
        return logits


@final
class _Pyramid(nn.Module):
    """What `AsppV3` joins: (B, in_channels, h, w) -> (B, hidden, h, w)."""

    def __init__(
        self, in_channels: int, *, rates: tuple[int, ...], hidden: int, dropout: float, batch_norm: Norm | None
    ) -> None:
        super().__init__()
        self.branches = nn.ModuleList([ConvReLU(in_channels, hidden, kernel_size=1, batch_norm=batch_norm)])
        for rate in rates:
            self.branches.append(ConvReLU(in_channels, hidden, kernel_size=3, dilation=rate, batch_norm=batch_norm))
        self.mean = ConvReLU(in_channels, hidden, kernel_size=1)
        self.join = ConvReLU((len(rates) + 2) * hidden, hidden, kernel_size=1, batch_norm=batch_norm)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        mean = self.mean(F.adaptive_avg_pool2d(x, 1)).expand(-1, -1, x.shape[-2], x.shape[-1])
        joined: Tensor = self.dropout(self.join(torch.cat([*(branch(x) for branch in self.branches), mean], 1)))
        return joined


@final
class FCN32s(Head):
    """The head of FCN-32s.

    fc6 (kernel x kernel) -> fc7 (1x1) -> score (1x1), as in FCN-32s; (B, in_channels, h, w) -> (B, channels, h, w).

    Source: Long et al., Fully convolutional networks (CVPR 2015), section 4.1. `fc6` and `fc7` end after their dropout.
    Deviation: fc6 keeps the size. An even kernel is padded one more at the right and bottom, which moves the centre of
    each output cell by half a cell; see `fcn32s_alexnet` for why that is wanted.

    Args:
        shape: Shape of the feature that is read.
        channels: Of the output, e.g. classes.
        kernel_size: Of fc6.
        hidden: Channels of fc6 and fc7.
        dropout: After fc6 and after fc7.
    """

    stages: ClassVar[Mapping[str, tuple[str, ...]]] = {"fc6": ("fc6",), "fc7": ("fc7",)}
    last: ClassVar[tuple[str, ...]] = ("score",)

    def __init__(
        self, shape: FeatureShape, channels: int, *, kernel_size: Count = 6, hidden: Count = 4096, dropout: Rate = 0.5
    ) -> None:
        super().__init__(shape, channels)
        self.fc6 = _hidden(shape.channels, hidden, kernel_size=kernel_size, dilation=1, dropout=dropout, batch_norm=None)
        self.fc7 = _hidden(hidden, hidden, kernel_size=1, dilation=1, dropout=dropout, batch_norm=None)
        self.score = classifier(hidden, channels)

    def finish(self, x: Tensor) -> Tensor:
        scores: Tensor = self.score(x)
        return scores


@final
class PyramidPooling(Head):
    """PSPNet's head: the feature and its means on several grids, concatenated; (B, C, h, w) -> (B, channels, h, w).

    The feature is averaged over b x b cells for every b of `bins`, each average brought to C / len(bins) channels (1x1,
    ReLU), enlarged bilinearly and put beside the feature; then 3x3 to `hidden`, dropout, classes.
    Source: Zhao et al., Pyramid scene parsing network (CVPR 2017), section 3.2.
    Deviations: no batch norm on the averages, of which a batch of one has a single number per channel; enlarged with
    align_corners=False.

    Args:
        shape: Shape of the feature that is read.
        channels: Of the output, e.g. classes.
        bins: Cells a side of the pooled grids.
        hidden: Channels of the 3x3 layer.
        dropout: Before the classifier.
        batch_norm: (momentum, eps) of a batch norm after the 3x3 layer; None for none, or for its network's.

    Raises:
        ValueError: There is no grid, one without cells, or more grids than channels.
    """

    last: ClassVar[tuple[str, ...]] = ("classifier",)

    def __init__(
        self,
        shape: FeatureShape,
        channels: int,
        *,
        bins: Annotated[tuple[Count, ...], Len(1)] = (1, 2, 3, 6),
        hidden: Count = 512,
        dropout: Rate = 0.1,
        batch_norm: Norm | None = None,
    ) -> None:
        super().__init__(shape, channels)
        self.bins = tuple(bins)
        if not self.bins or min(self.bins) < 1 or len(self.bins) > shape.channels:
            raise ValueError(f"bins are grids of 1 or more cells a side, 1 to {shape.channels} of them, got {self.bins}")
        width = shape.channels // len(self.bins)
        self.branches = nn.ModuleList(ConvReLU(shape.channels, width, kernel_size=1) for _ in self.bins)
        joined = shape.channels + width * len(self.bins)
        self.join = ConvReLU(joined, hidden, kernel_size=3, batch_norm=batch_norm)
        self.dropout = nn.Dropout(dropout)
        self.classifier = classifier(hidden, channels)

    def finish(self, x: Tensor) -> Tensor:
        size = x.shape[-2:]
        means = [branch(F.adaptive_avg_pool2d(x, b)) for b, branch in zip(self.bins, self.branches, strict=True)]
        large = [F.interpolate(mean, size=size, mode="bilinear", align_corners=False) for mean in means]
        logits: Tensor = self.classifier(self.dropout(self.join(torch.cat([x, *large], 1))))
        return logits


def _hidden(
    in_channels: int, hidden: int, *, kernel_size: int, dilation: int, dropout: float, batch_norm: Norm | None
) -> nn.Sequential:
    layer = ConvReLU(in_channels, hidden, kernel_size=kernel_size, dilation=dilation, batch_norm=batch_norm)
    return nn.Sequential(layer, nn.Dropout(dropout))


def _rates(rates: tuple[int, ...] | None, at_8: tuple[int, ...], shape: FeatureShape) -> tuple[int, ...]:
    """The dilations that were asked for, or those printed for stride 8 at the stride of the feature."""
    if rates is None:
        return tuple(rate * 8 // (shape.stride or 8) for rate in at_8)
    if not rates or any(rate < 1 for rate in rates):
        raise ValueError(f"rates are dilations of 1 or more, at least one of them; got {tuple(rates)}")
    return rates
