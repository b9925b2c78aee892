"""SegNet on VGG-16: the network of the MTAN paper's dense tasks and of its baselines."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

from torch import Tensor, nn
from torch.nn import functional as F

from taskweave.features import FeatureShape
from taskweave.heads.layers import ConvReLU, Count, Head, Norm, classifier
from taskweave.networks.headed import headed_stream
from taskweave.parts import Part, part
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Memory, Stage, Step, Stream

BLOCKS = 5
Five = tuple[Count, Count, Count, Count, Count]
WIDTHS: Five = (64, 128, 256, 512, 512)
DEPTHS: Five = (2, 2, 3, 3, 3)
NORM: Norm = (0.1, 1e-5)
"""Momentum and eps of every batch norm: torch's own, as nothing else is stated."""


def segnet_vgg16(channels: int, *, widths: Five = WIDTHS, depths: Five = DEPTHS) -> SegNetVGG16:
    """Build a SegNet: (B, 3, H, W) -> (B, channels, H, W), any H and W.

    Encoder: VGG-16's thirteen 3x3 convolutions, each with batch norm and ReLU, and a 2x2 max-pool after each block.
    Decoder: for each block a max-unpool, which puts the numbers where the encoder's maxima were found, and as many
    convolutions. The head is a 3x3 and a 1x1 convolution.
    Source: Badrinarayanan et al., "SegNet" (TPAMI 2017); Liu et al., "End-to-end multi-task learning with attention" (CVPR
    2019), section 4.1: the shared network of `mtan_segnet` and the single-task baseline of its tables.

    Weights: `load_vgg16` or `load_pretrained` (torchvision's VGG-16 with batch norm) for an encoder of VGG-16's size;
    without them He's initialisation.

    Deviations: where the papers leave it open or differ this is the form of MTAN's public code: the first convolution of a
    decoder block changes the channels (SegNet: the last), and the head has two layers with nothing between them. He's
    initialisation instead of Xavier's. Convolutions before a batch norm have no bias, which the norm would cancel. An odd
    side is rounded up where it is halved and comes back exactly.
    Size: 24,973,901 parameters for 13 channels; with the cancelled biases the authors' 24,981,069.

    Args:
        channels: Of the output, e.g. classes.
        widths: Channels of each block's convolutions; a block of the decoder hands on those of the block before its own.
        depths: Convolutions per block.

    Raises:
        ValueError: There are not five positive widths and depths.
    """
    return SegNetVGG16(SegNetBody(widths, depths=depths), SegNetHead(widths[0], channels))


def segnet_of(options: Mapping[str, Any]) -> Part[nn.Module]:
    """The SegNet of the widths of a network that is made of one."""
    return part(segnet_vgg16, widths=options["widths"])


class OnSegNet(nn.Module):
    """A network on a SegNet `body`."""

    body: SegNetBody
    body_end: ClassVar[str] = "dec1_2"
    gives: ClassVar[str] = "map"
    usual_stages: ClassVar[tuple[str, ...]] = (
        *(f"pool{block}" for block in range(1, 6)),
        *("dec5_3", "dec4_3", "dec3_3", "dec2_2"),
    )
    """After every pool and every decoder block but the last, as in MTAN's cross-stitch baseline. Of VGG-16's depths."""

    @property
    def features(self) -> nn.Sequential:
        """The encoder's convolutions, for `load_vgg16`."""
        return self.body.features


@final
class SegNetVGG16(OnSegNet):
    """SegNet's encoder and decoder, and a head for the decoder's last feature; see `segnet_vgg16`."""

    def __init__(self, body: SegNetBody, head: SegNetHead) -> None:
        super().__init__()
        self.body = body
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(x)[self.body.decoder_block(1)[-1]])
        return logits


@as_stream.register
def _(net: SegNetVGG16) -> Stream:
    """Stages conv1_1, conv1_2, pool1 ... pool5, then unpool5, dec5_1, dec5_2, dec5_3, unpool4 ... dec1_2, and hidden."""
    return headed_stream(net, net.body.stages("body"))


@final
class SegNetHead(Head):
    """A 3x3 and a 1x1 convolution with nothing between them; (B, width, H, W) -> (B, channels, H, W)."""

    stages: ClassVar[Mapping[str, tuple[str, ...]]] = {"hidden": ("hidden",)}
    last: ClassVar[tuple[str, ...]] = ("classifier",)

    def __init__(self, width: int, channels: int) -> None:
        super().__init__(FeatureShape.image(width, stride=1), channels)
        self.hidden = nn.Conv2d(width, width, 3, padding=1)
        nn.init.kaiming_normal_(self.hidden.weight, nonlinearity="linear")
        assert self.hidden.bias is not None
        nn.init.zeros_(self.hidden.bias)
        self.classifier = classifier(width, channels)

    def finish(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(x)
        return logits


def pooled(x: Tensor) -> tuple[Tensor, Tensor]:
    """The 2x2 maxima of (B, C, H, W), (B, C, ceil(H/2), ceil(W/2)), and where in their picture each was found."""
    maxima, places = F.max_pool2d_with_indices(x, (2, 2), ceil_mode=True)
    return maxima, places


def unpooled(x: Tensor, places: Tensor, size: Sequence[int]) -> Tensor:
    """Each number back where its maximum was found, zeros elsewhere; (B, C, h, w) -> (B, C, *size)."""
    return F.max_unpool2d(x, places, (2, 2), output_size=list(size))


@final
@dataclass(frozen=True)
class Pool:
    """A stage that pools and notes where the maxima were."""

    block: int

    def __call__(self, net: nn.Module, x: Tensor, memory: Memory) -> Tensor:
        maxima, places = pooled(x)
        memory[f"maxima{self.block}"] = (places, x.shape[-2:])
        return maxima


@final
@dataclass(frozen=True)
class Unpool:
    """A stage that unpools by what `Pool` of the same block noted."""

    block: int

    def __call__(self, net: nn.Module, x: Tensor, memory: Memory) -> Tensor:
        return unpooled(x, *memory[f"maxima{self.block}"])


@final
class SegNetBody(nn.Module):
    """VGG-16's five blocks with batch norm and five that mirror them; (B, 3, H, W) -> every stage's feature by name.

    Args:
        widths: Channels of the encoder's blocks; those of the decoder's are `decoder_widths(widths)`.
        depths: Convolutions of each block, the same in the decoder.
        complete: False ends at `unpool1`, before the decoder's last convolutions.

    Raises:
        ValueError: There are not five positive widths and depths.
    """

    def __init__(self, widths: Sequence[int] = WIDTHS, *, depths: Sequence[int] = DEPTHS, complete: bool = True) -> None:
        super().__init__()
        check_widths(widths)
        if len(depths) != BLOCKS or min(depths) < 1:
            raise ValueError(f"depths are the convolutions of {BLOCKS} blocks, at least one each; got {tuple(depths)}")
        self.widths, self.depths, self.complete = tuple(widths), tuple(depths), complete
        sources = (3, *widths[:-1])
        encoder = [(f"conv{i + 1}", sources[i], widths[i], depths[i]) for i in range(BLOCKS)]
        out = decoder_widths(widths)
        decoder = [(f"dec{i + 1}", widths[i], out[i], depths[i]) for i in reversed(range(BLOCKS))]
        self.features = _convolutions(encoder)
        self.decoder = _convolutions(decoder if complete else decoder[:-1])

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        seen: dict[str, Tensor] = {}
        maxima: list[tuple[Tensor, Any]] = []
        for block, depth in enumerate(self.depths, 1):
            for i in range(1, depth + 1):
                x = seen[f"conv{block}_{i}"] = self.features.get_submodule(f"conv{block}_{i}")(x)
            size = x.shape[-2:]
            x, places = pooled(x)
            seen[f"pool{block}"] = x
            maxima.append((places, size))
        for block in range(BLOCKS, 0, -1):
            x = seen[f"unpool{block}"] = unpooled(x, *maxima.pop())
            for name in self.decoder_block(block):
                x = seen[name] = self.decoder.get_submodule(name)(x)
        return seen

    def decoder_block(self, block: int) -> list[str]:
        """The names of the convolutions of a decoder block, from 1 at the picture's size to 5."""
        return [f"dec{block}_{i}" for i in range(1, self.depths[block - 1] + 1) if block > 1 or self.complete]

    def stages(self, path: str) -> dict[str, Stage]:
        """The stages of a network whose submodule `path` this is: conv1_1, conv1_2, pool1 ... pool5, unpool5, dec5_1 ..."""
        found: dict[str, Stage] = {}
        for block, depth in enumerate(self.depths, 1):
            for i in range(1, depth + 1):
                found[f"conv{block}_{i}"] = (f"{path}.features.conv{block}_{i}",)
            found[f"pool{block}"] = Step(Pool(block), ())
        for block in range(BLOCKS, 0, -1):
            found[f"unpool{block}"] = Step(Unpool(block), ())
            found |= {name: (f"{path}.decoder.{name}",) for name in self.decoder_block(block)}
        return found


def check_widths(widths: Sequence[int]) -> None:
    """Raise ValueError unless there are five positive widths."""
    if len(widths) != BLOCKS or min(widths) < 1:
        raise ValueError(f"widths are the channels of {BLOCKS} blocks, all positive; got {tuple(widths)}")


def decoder_widths(widths: Sequence[int]) -> tuple[int, ...]:
    """Channels that decoder blocks 1 to 5 hand on: those of the encoder block below their own."""
    return (widths[0], *widths[:-1])


def _convolutions(blocks: Sequence[tuple[str, int, int, int]]) -> nn.Sequential:
    """name_1, name_2 ... of each (name, channels in, channels out, how many)."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for name, sources, width, depth in blocks:
        for i in range(1, depth + 1):
            layers[f"{name}_{i}"] = ConvReLU(sources if i == 1 else width, width, kernel_size=3, batch_norm=NORM)
    return nn.Sequential(layers)
