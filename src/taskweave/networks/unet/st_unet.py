"""ST-UNet: a U-Net with a dense encoder and attention, for one task; MT-UNet's baseline and what it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, final, get_args

import torch
from annotated_types import Ge
from torch import Tensor, nn
from torch.nn import functional as F

from taskweave.features import FeatureShape
from taskweave.heads.layers import Count, Epsilon, Rate, classifier
from taskweave.networks.headed import Call, Through
from taskweave.parts import Part, part
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Memory, Stage, Step, Stream
from taskweave.units.attention import Attention
from taskweave.units.unit import Unit

Dense = Literal["encoder", "block"]
Upsampling = Literal["transposed", "bilinear"]
Skip = Literal["last", "all"]


def conv_relu_norm(in_channels: int, out_channels: int, *, eps: float) -> nn.Sequential:
    """3x3 convolution, ReLU, then batch norm: the paper's order. He's start, biases zero."""
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

    Args:
        in_channels: Channels of the block before; None for the first block. Its input, the picture, is not the output of a
            convolution and is not passed on.
        width: Channels of each convolution.
        dense: "encoder" passes on the outputs of all convolutions so far, the last one's at the end; "block" only the last.
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
    """Two convolutions on the features from below and from the encoder, then attention on the second's output.

    Args:
        in_channels: Channels of the feature from below.
        skip_channels: Channels of the encoder's feature.
        guests: Channels of other decoders' features, appended to the feature from below; zeros if none are given.
        attention: Given the outputs of both convolutions, or None.
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


BLOCKS = 4
HEARS = 3
"""The decoder block that cross-talk reaches."""

Four = tuple[Count, Count, Count, Count]


def st_unet(
    channels: int,
    *,
    widths: Four = (64, 128, 256, 512),
    decoder_widths: Four | None = None,
    bottleneck: tuple[Count, Count] | None = None,
    dense: Dense = "encoder",
    skip: Skip = "last",
    upsampling: Upsampling = "transposed",
    attention: Part[Unit] | None = part(Attention),
    dropout: Rate = 0.2,
    bn_eps: Epsilon = 1e-5,
    guests: Annotated[int, Ge(0)] = 0,
) -> STUNet:
    """Build an ST-UNet: (B, 3, H, W) -> (B, channels, H, W), any H and W.

    Encoder: four blocks of two 3x3 convolutions, each followed by ReLU and then batch norm, with dense concatenation;
    dropout and a 2x2 max-pool after each. Bottleneck: two convolutions and a transposed convolution. Decoder: four blocks
    of two convolutions on the feature from below and that of the encoder block of their size, with attention; a 1x1
    convolution to `channels`.
    Source: MT-UNet (paper 5178), "Architecture Design and Protocols" and figure 2; ST-UNet is its single-task form.

    Deviations: a side that 16 does not divide is rounded up where it is halved, and cut where it is doubled again.
    Size: 64,984,461 parameters for 13 channels, 44,796,224 of them the encoder and the bottleneck.

    Args:
        channels: Of the output, e.g. classes.
        widths: Channels of each convolution in the encoder's blocks, as printed. What follows the paper leaves open.
        decoder_widths: Of the decoder's blocks, in their order; None for the encoder's reversed ("symmetric").
        bottleneck: Channels of its two convolutions and of its transposed one. The printed "depth 1024" can be read of
            either; None for twice the last width, both.
        dense: "encoder": every convolution sees all before it, pooled to its size ("all previous conv. layers"), and the
            bottleneck sees all eight; "block": only those of its own block and the block's input. The picture is none.
        skip: What a decoder block gets of its encoder block: its "last" convolution, or "all" that this block hands on.
        upsampling: Between decoder blocks: "transposed", 2x2 as the bottleneck's, keeping the channels; or "bilinear".
        attention: What each decoder block has, built from the shapes of its two features; None for none. That ST-UNet has
            it is our reading.
        dropout: DenseNet's rate, since none is printed.
        bn_eps: Of the batch norms behind a ReLU: torch's; Keras has 1e-3. In short trainings on few pictures some channels
            stay silent, and 1 / sqrt(eps) is what they are multiplied by when they speak up at test.
        guests: How many other decoders' features block 3 has room for (`mt_unet`'s cross-talk). Alone it reads zeros.

    Raises:
        ValueError: There are not four positive widths, or an option has another value.
    """
    _check(widths, decoder_widths, dense=dense, skip=skip, upsampling=upsampling)
    own = tuple(reversed(widths)) if decoder_widths is None else tuple(decoder_widths)
    middle, below = (2 * widths[-1], 2 * widths[-1]) if bottleneck is None else bottleneck
    encoder: list[DenseBlock] = []
    for width in widths:
        before = encoder[-1].out_channels if encoder else None
        encoder.append(DenseBlock(before, width, dense=dense, dropout=dropout, eps=bn_eps))
    skips = [block.width if skip == "last" else block.out_channels for block in reversed(encoder)]
    decoder = [
        DecoderBlock(
            (below, *own)[i],
            skips[i],
            own[i],
            eps=bn_eps,
            guests=guests * own[i - 1] if i + 1 == HEARS else 0,
            attention=None if attention is None else attention([FeatureShape.image(own[i])] * 2),
        )
        for i in range(BLOCKS)
    ]
    return STUNet(
        encoder,
        Bottleneck(encoder[-1].out_channels, middle, below, dropout=dropout, eps=bn_eps),
        decoder,
        [double(width, upsampling) for width in own[:-1]],
        classifier(own[-1], channels),
        skips=skips,
    )


def _check(widths: Sequence[int], decoder_widths: Sequence[int] | None, *, dense: str, skip: str, upsampling: str) -> None:
    for name, value in (("widths", widths), ("decoder_widths", decoder_widths)):
        if value is not None and (len(value) != BLOCKS or min(value) < 1):
            raise ValueError(f"{name} are the channels of {BLOCKS} blocks, all positive; got {tuple(value)}")
    for name, chosen, known in (("dense", dense, Dense), ("upsampling", upsampling, Upsampling), ("skip", skip, Skip)):
        if chosen not in get_args(known):
            raise ValueError(f"{name} is one of {get_args(known)}, got {chosen!r}")


@final
class STUNet(nn.Module):
    """A dense encoder, a bottleneck and a decoder; see `st_unet`, which puts the parts together.

    Args:
        skips: Channels that each decoder block takes of its encoder block, the last ones that this hands on.
    """

    usual_stages: ClassVar[tuple[str, ...]] = tuple(f"decoder{i}" for i in range(1, BLOCKS + 1))
    """The ends of the decoder's blocks."""
    body_end: ClassVar[str] = "bottleneck"
    gives: ClassVar[str] = "map"

    def __init__(
        self,
        encoder: Sequence[DenseBlock],
        bottleneck: Bottleneck,
        decoder: Sequence[DecoderBlock],
        up: Sequence[nn.Module],
        head: nn.Module,
        *,
        skips: Sequence[int],
    ) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(encoder)
        self.bottleneck = bottleneck
        self.decoder = nn.ModuleList(decoder)
        self.up = nn.ModuleList(up)
        self.head = head
        self.skips = tuple(skips)

    def forward(self, x: Tensor) -> Tensor:
        memory: Memory = {}
        for i, block in enumerate(self.encoder):
            x = memory[f"encoder{i + 1}"] = block(x)
        x = self.bottleneck(x)
        for i in range(BLOCKS):
            x = self.decode(i, x if i == 0 else self.up[i - 1](x), memory)
        logits: Tensor = self.head(x)
        return logits

    def decode(self, index: int, x: Tensor, memory: Memory) -> Tensor:
        """Decoder block `index` (from 0) on the feature from below and what its encoder block handed on."""
        encoded = memory[f"encoder{BLOCKS - index}"]
        out: Tensor = self.decoder[index](x, encoded[:, encoded.shape[1] - self.skips[index] :])
        return out


@as_stream.register
def _(net: STUNet) -> Stream:
    """Stages encoder1 ... encoder4 (from the second on with the dropout and pool before it), bottleneck, decoder1, up1,
    decoder2, up2, decoder3, up3, decoder4."""
    stages: dict[str, Stage] = {f"encoder{i + 1}": (f"encoder.{i}",) for i in range(BLOCKS)}
    stages["bottleneck"] = ("bottleneck",)
    for i in range(BLOCKS):
        stages[f"decoder{i + 1}"] = Step(Call("decode", i), (f"decoder.{i}",))
        if i + 1 < BLOCKS:
            stages[f"up{i + 1}"] = (f"up.{i}",)
    return Stream(net, stages, exit=Through("head", f"decoder{BLOCKS}"), head=("head",))
