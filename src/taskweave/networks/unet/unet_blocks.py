"""The blocks of MT-UNet's encoder and decoders."""

from __future__ import annotations

from typing import Literal, final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from taskweave.units.unit import Unit

Dense = Literal["encoder", "block"]
Upsampling = Literal["transposed", "bilinear"]
Skip = Literal["last", "all"]


def conv_relu_norm(in_channels: int, out_channels: int, *, eps: float) -> nn.Sequential:
    """3x3 convolution, ReLU, then batch norm: the paper's order. He's start, biases zero.

    eps: of the batch norm. A channel that was silent while the network trained has the variance 0, so that what it says
        at test is multiplied by 1 / sqrt(eps).
    """
    convolution = nn.Conv2d(in_channels, out_channels, 3, padding=1)
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    assert convolution.bias is not None
    nn.init.zeros_(convolution.bias)
    return nn.Sequential(convolution, nn.ReLU(inplace=True), nn.BatchNorm2d(out_channels, eps=eps))


def halve(dropout: float) -> nn.Sequential:
    """Dropout and a 2x2 maximum; (H, W) -> (ceil(H/2), ceil(W/2))."""
    return nn.Sequential(nn.Dropout(dropout), nn.MaxPool2d(2, ceil_mode=True))


def double(channels: int, how: Upsampling) -> nn.Module:
    """(B, channels, H, W) -> (B, channels, 2 H, 2 W): a 2x2 transposed convolution, or bilinear, align_corners=False."""
    if how == "transposed":
        return nn.ConvTranspose2d(channels, channels, 2, stride=2)
    return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)


@final
class DenseBlock(nn.Module):
    """Two convolutions, each of which sees all convolutions before it.

    in_channels: what the block before hands on; None for the first block, whose input is the picture, which is no
        convolution's output and goes no further.
    width: channels of each convolution.
    dense: what is handed on: "encoder", the outputs of all convolutions so far, the last one's at the end; "block", the
        last one's alone.
    """

    def __init__(self, in_channels: int | None, width: int, *, dense: Dense, dropout: float, eps: float) -> None:
        super().__init__()
        known = 0 if in_channels is None else in_channels
        self.width, self.dense = width, dense
        self.sees_input = in_channels is not None
        self.out_channels = known + 2 * width if dense == "encoder" else width
        self.down = nn.Identity() if in_channels is None else halve(dropout)
        self.conv1 = conv_relu_norm(3 if in_channels is None else in_channels, width, eps=eps)
        self.conv2 = conv_relu_norm(known + width, width, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x)
        first = self.conv1(x)
        seen = torch.cat([x, first], 1) if self.sees_input else first
        second: Tensor = self.conv2(seen)
        return torch.cat([seen, second], 1) if self.dense == "encoder" else second


@final
class Bottleneck(nn.Module):
    """Dropout and pool, two convolutions, and a transposed convolution back to the size before."""

    def __init__(self, in_channels: int, width: int, out_channels: int, *, dropout: float, eps: float) -> None:
        super().__init__()
        self.down = halve(dropout)
        self.conv1 = conv_relu_norm(in_channels, width, eps=eps)
        self.conv2 = conv_relu_norm(width, width, eps=eps)
        self.up = nn.ConvTranspose2d(width, out_channels, 2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.up(self.conv2(self.conv1(self.down(x))))
        return out


@final
class DecoderBlock(nn.Module):
    """Two convolutions on the feature from below and the encoder's; the second's output is weighed by attention.

    in_channels, skip_channels: of the feature from below and of the encoder's.
    guests: channels of other decoders' features, behind those of the feature from below. Not given any, it hears zeros.
    attention: given the outputs of both convolutions, or None.
    """

    def __init__(
        self,
        in_channels: int,
        skip_channels: int,
        width: int,
        *,
        eps: float,
        guests: int = 0,
        attention: Unit | None = None,
    ) -> None:
        super().__init__()
        self.in_channels, self.guests = in_channels, guests
        self.conv1 = conv_relu_norm(in_channels + guests + skip_channels, width, eps=eps)
        self.attention = attention  # before conv2, which so is the last layer, whose weight units may ask for
        self.conv2 = conv_relu_norm(width, width, eps=eps)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        if self.guests and x.shape[1] == self.in_channels:
            x = F.pad(x, (0, 0, 0, 0, 0, self.guests))
        x = x[..., : skip.shape[-2], : skip.shape[-1]]  # of an odd size half was rounded up
        first = self.conv1(torch.cat([x, skip], 1))
        second: Tensor = self.conv2(first)
        if self.attention is None:
            return second
        weighed: list[Tensor] = self.attention([first, second])
        return weighed[0]
