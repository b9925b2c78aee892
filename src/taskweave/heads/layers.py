"""The contract of every head, what those of detectors return, and the layers of networks and heads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar, final

from annotated_types import Ge, Gt, Lt
from torch import Tensor, nn

from taskweave.features import FeatureShape

Count = Annotated[int, Ge(1)]
Rate = Annotated[float, Ge(0), Lt(1)]
"""Of dropout."""
Momentum = Annotated[float, Gt(0), Lt(1)]
Epsilon = Annotated[float, Gt(0)]
Norm = tuple[Momentum, Epsilon]
"""Momentum and eps of a batch norm."""

L = TypeVar("L", nn.Conv2d, nn.Linear)


@final
class ConvReLU(nn.Module):
    """Convolution -> (batch norm) -> ReLU. With batch norm the convolution has no bias: the norm's takes its place.

    Padded so that stride 1 keeps the height and width; an even kernel one more at the right and bottom.

    Args:
        batch_norm: None, or (momentum, eps) of the norm.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: int,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        batch_norm: Norm | None = None,
    ) -> None:
        super().__init__()
        reach = dilation * (kernel_size - 1)
        odd = reach % 2  # torch's padding="same" would warn here and pad the same way
        self.pad = nn.ZeroPad2d((0, 1, 0, 1)) if odd else nn.Identity()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride, reach // 2, dilation, groups=groups, bias=batch_norm is None
        )
        self.norm = None if batch_norm is None else nn.BatchNorm2d(out_channels, momentum=batch_norm[0], eps=batch_norm[1])
        self.relu = nn.ReLU(inplace=True)
        nn.init.kaiming_normal_(self.conv.weight, mode="fan_in", nonlinearity="relu")
        if self.conv.bias is not None:
            nn.init.zeros_(self.conv.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(self.pad(x))
        if self.norm is not None:
            x = self.norm(x)
        y: Tensor = self.relu(x)
        return y


@final
class FullyConnected(nn.Module):
    """Linear, ReLU, dropout on maps of any size; (R, ...) -> (R, out_features, 1, 1), so that units read it as a map."""

    def __init__(self, in_features: int, out_features: int, *, dropout: float = 0.5) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, out_features)
        self.relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(dropout)
        nn.init.kaiming_normal_(self.linear.weight, nonlinearity="relu")
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.dropout(self.relu(self.linear(x.flatten(1))))
        return y[:, :, None, None]


def classifier(in_channels: int, out_channels: int, *, kernel_size: int = 1, dilation: int = 1) -> nn.Conv2d:
    """The last layer of a dense network: weights from N(0, .01), biases zero, as DeepLab's authors initialise it."""
    layer = nn.Conv2d(in_channels, out_channels, kernel_size, padding=dilation * (kernel_size // 2), dilation=dilation)
    return _small(layer, std=0.01)


def small_linear(in_features: int, out_features: int, *, std: float) -> nn.Linear:
    """A linear layer with weights from N(0, std) and biases zero, so that fresh heads prefer no class."""
    return _small(nn.Linear(in_features, out_features), std=std)


def _small(layer: L, *, std: float) -> L:
    nn.init.normal_(layer.weight, std=std)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class Head(nn.Module, ABC):
    """One feature in, the raw prediction of one task out.

    Args:
        shape: Shape of the feature that is read; its channels and its stride are known, its size need not be.
        channels: Channels of the output, e.g. classes. Options of a subclass follow as keywords.
    """

    stages: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
    """Stages of the head at which streams may meet: name -> the submodules that it runs, in order."""

    last: ClassVar[tuple[str, ...]] = ("",)
    """Paths of the last layers, which may learn at a rate of their own; "" for the whole head."""

    def __init__(self, shape: FeatureShape, channels: int) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Any:
        for paths in self.stages.values():
            for path in paths:
                x = self.get_submodule(path)(x)
        return self.finish(x)

    @abstractmethod
    def finish(self, x: Tensor) -> Any:
        """The output from the feature of the last of `stages`, or from the head's input where it has none."""


class AnchorOutputs(NamedTuple):
    """One prediction per anchor, as in a region proposal network or RetinaNet.

    Args:
        logits: (B, A, C + 1); class 0 is background.
        deltas: (B, A, 4), encoded relative to the anchors.
        anchors: (A, 4) as x1, y1, x2, y2 in pixels of the input.
    """

    logits: Tensor
    deltas: Tensor
    anchors: Tensor


class RoiOutputs(NamedTuple):
    """One prediction per region of interest, as in Fast R-CNN.

    Args:
        logits: (R, C + 1); class 0 is background.
        deltas: (R, 4 (C + 1)), encoded relative to the regions.
        rois: Per image (r_i, 4); R = sum r_i, in the order of the images.
    """

    logits: Tensor
    deltas: Tensor
    rois: tuple[Tensor, ...]


class RoiAttributes(NamedTuple):
    """Attribute scores per region of interest.

    Args:
        logits: (R, number of attributes).
        rois: As in `RoiOutputs`.
    """

    logits: Tensor
    rois: tuple[Tensor, ...]
