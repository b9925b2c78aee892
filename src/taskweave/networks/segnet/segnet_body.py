"""SegNet's encoder and decoder on VGG-16's convolutions: max-pooling that remembers where, and max-unpooling."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from torch import Tensor, nn
from torch.nn import functional as F

from taskweave.heads.convolution import ConvReLU, classifier
from taskweave.streams.stream import Memory, Stage, Step

BLOCKS = 5
WIDTHS = (64, 128, 256, 512, 512)
DEPTHS = (2, 2, 3, 3, 3)
NORM = (0.1, 1e-5)
"""Momentum and eps of every batch norm: torch's own, as nothing else is stated."""


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
    """A stage that pools and notes where the maxima were, so that a fused feature is read after fusion."""

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

    widths: channels of the encoder's blocks; those of the decoder's are `decoder_widths(widths)`.
    depths: convolutions of each block, the same in the decoder.
    complete: False ends at `unpool1`, before the decoder's last convolutions.
    Raises ValueError unless there are five positive widths and depths.
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


def segnet_head(width: int, channels: int) -> nn.Sequential:
    """A 3x3 and a 1x1 convolution with nothing between them; (B, width, H, W) -> (B, channels, H, W)."""
    hidden = nn.Conv2d(width, width, 3, padding=1)
    nn.init.kaiming_normal_(hidden.weight, nonlinearity="linear")
    assert hidden.bias is not None
    nn.init.zeros_(hidden.bias)
    return nn.Sequential(OrderedDict(hidden=hidden, classifier=classifier(width, channels)))


HEAD_STAGE: dict[str, Stage] = {"hidden": ("head.hidden",)}
HEAD = ("head.classifier",)


def classify(net: nn.Module, memory: Memory) -> Tensor:
    """The exit of every network here: the last layer on what the stage `hidden` gave."""
    logits: Tensor = net.get_submodule(HEAD[0])(memory["hidden"])
    return logits


def _convolutions(blocks: Sequence[tuple[str, int, int, int]]) -> nn.Sequential:
    """name_1, name_2 ... of each (name, channels in, channels out, how many)."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for name, sources, width, depth in blocks:
        for i in range(1, depth + 1):
            layers[f"{name}_{i}"] = ConvReLU(sources if i == 1 else width, width, kernel_size=3, batch_norm=NORM)
    return nn.Sequential(layers)
