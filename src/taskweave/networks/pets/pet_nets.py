"""The pet paper's networks for one task: one that decodes a map, one that gives a few numbers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, final

import torch
from annotated_types import Len
from torch import Tensor, nn

from taskweave.heads.layers import Count
from taskweave.networks.headed import Through
from taskweave.networks.pets.pet_blocks import (
    DEEPEST,
    STAGES,
    decoder_channels,
    doubling,
    numbers_head,
    pet_encoder,
    pet_stem,
    without_statistics,
)
from taskweave.parts import Part, part, states
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Memory, Stage, Stream

Kernel = Literal[3, 7]
Hidden = Annotated[tuple[Count, ...], Len(1)]
USUAL_STAGES = ("branch", *(f"encoder{i}" for i in range(1, STAGES)))
"""Before each of the five encoder stages; "branch" is the stem's feature as each branch has it."""


def least_with_decoder(options: Mapping[str, Any]) -> int | None:
    """Pixels a side above which a picture alone leaves a batch norm more than one value; None where it has statistics."""
    return 64 if options["batch_statistics"] else None


def least_without_decoder(options: Mapping[str, Any]) -> int | None:
    """As `least_with_decoder`; there is no norm behind the last pooling."""
    return 32 if options["batch_statistics"] else None


@states(least_size=least_with_decoder)
def pet_map_net(
    channels: int,
    *,
    width: Count = 16,
    stem_kernel: Kernel = 3,
    last_bias: bool = False,
    sigmoid: bool = False,
    batch_statistics: bool = False,
) -> PetMapNet:
    """Build the encoder-decoder of the pet paper: (B, 3, H, W) -> (B, channels, H, W), any H and W.

    A stem, five residual encoder stages down to 1/64, six residual decoder stages, a 3x3 convolution. No skips.
    Source: "Multitask learning in image recognition, segmentation, and classification", its Baseline; the paper says
    little, the layers are those of its public code.

    Deviations: a side that 64 does not divide is rounded up where it is halved, and the output cut to the picture.
    Convolutions before a ReLU have He's initialisation (the code: torch's own).
    Size: 18,881,615 parameters.

    Args:
        channels: Of the output: 2 for the pet and the background.
        width: Channels of the stem; the published 16 gives 512 x 4 x 4 at the end of the encoder, from 256 x 256 pictures.
        stem_kernel: 3, or 7 as in the networks of its open-ended question.
        last_bias: Whether the last convolution has a bias.
        sigmoid: Whether outputs are in (0, 1) instead of logits. The public code feeds them to a cross-entropy with
            softmax, whose value per pixel then lies in [.313, 1.313] for two classes: a fault, kept to compare with.
        batch_statistics: Whether batch norms go by their own batch in eval mode too; see `without_statistics`. One picture
            alone must then have more than 64 px on a side (32 without a decoder), as in training: else ValueError.

    Raises:
        ValueError: `width` is below 1.
    """
    _check_width(width)
    sizes = decoder_channels(width)
    decoder = nn.ModuleList(doubling(*pair, every=DEEPEST >> i) for i, pair in enumerate(pairwise(sizes)))
    last = nn.Conv2d(sizes[-1], channels, 3, padding=1, bias=last_bias)
    net = PetMapNet(pet_stem(width, stem_kernel), pet_encoder(width), decoder, last, sigmoid=sigmoid)
    if batch_statistics:
        without_statistics(net)
    return net


@states(least_size=least_without_decoder)
def pet_numbers_net(
    channels: int,
    *,
    width: Count = 16,
    hidden: Hidden = (200, 80),
    stem_kernel: Kernel = 3,
    batch_statistics: bool = False,
) -> PetNumbersNet:
    """Build an encoder with a head for numbers: (B, 3, H, W) -> (B, channels): class logits, or a box.

    The pet paper's auxiliary branches. Source: as of `pet_map_net`.

    Args:
        channels: Of the output.
        width: As in `pet_map_net`.
        hidden: Widths of the head's inner linear layers; nothing is between them.
        stem_kernel: As in `pet_map_net`.
        batch_statistics: As in `pet_map_net`.

    Raises:
        ValueError: `width` is below 1, or there is no inner layer.
    """
    _check_width(width)
    encoder = pet_encoder(width)
    net = PetNumbersNet(pet_stem(width, stem_kernel), encoder, numbers_head(decoder_channels(width)[0], hidden, channels))
    if batch_statistics:
        without_statistics(net)
    return net


def pet_dense(options: Mapping[str, Any]) -> Part[nn.Module]:
    """The network for dense tasks whose stem and encoder are those of a network with these options.

    Without the faults of the public code: a sigmoid would keep depth and normals in (0, 1).
    """
    return part(pet_map_net, width=options["width"], stem_kernel=options["stem_kernel"])


def _check_width(width: int) -> None:
    if width < 1:
        raise ValueError(f"width is the channels of the stem, 16 as published; got {width}")


class PetNet(nn.Module):
    """A network with a stem and an encoder of the pet paper."""

    stem: nn.Module
    usual_stages: ClassVar[tuple[str, ...]] = USUAL_STAGES
    body_end: ClassVar[str] = f"encoder{STAGES}"
    dense_counterpart = staticmethod(pet_dense)


@final
class PetMapNet(PetNet):
    """Stem, encoder, decoder and last convolution; see `pet_map_net`."""

    gives: ClassVar[str] = "map"

    def __init__(
        self, stem: nn.Module, encoder: nn.ModuleList, decoder: nn.ModuleList, last: nn.Conv2d, *, sigmoid: bool
    ) -> None:
        super().__init__()
        self.stem, self.encoder, self.decoder, self.last, self.sigmoid = stem, encoder, decoder, last, sigmoid

    def forward(self, x: Tensor) -> Tensor:
        size = (int(x.shape[-2]), int(x.shape[-1]))
        x = self.stem(x)
        for stage in (*self.encoder, *self.decoder):
            x = stage(x)
        return self.finish(x, size)

    def finish(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """The output from the last decoder stage's feature, at the picture's size."""
        logits: Tensor = self.last(x)[..., : size[0], : size[1]]
        return torch.sigmoid(logits) if self.sigmoid else logits


@final
class PetNumbersNet(PetNet):
    """Stem, encoder and a head for numbers; see `pet_numbers_net`."""

    gives: ClassVar[str] = "numbers"

    def __init__(self, stem: nn.Module, encoder: nn.ModuleList, head: nn.Module) -> None:
        super().__init__()
        self.stem, self.encoder, self.head = stem, encoder, head
        self.frozen = False

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for stage in self.encoder:
            x = stage(x)
        numbers: Tensor = self.head(x)
        return numbers

    def freeze(self) -> None:
        """For good: no parameter learns, and train() leaves its batch norms, with their statistics, as they are."""
        self.frozen = True
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> PetNumbersNet:
        """As any module's; a frozen network stays in eval mode."""
        super().train(mode and not self.frozen)
        return self


def note_size(net: nn.Module, x: Tensor, memory: Memory) -> Tensor:
    """Leave the picture's size in memory, also for the streams that go on from this one's trunk."""
    memory["size"] = (int(x.shape[-2]), int(x.shape[-1]))
    return x


def encoder_stages() -> dict[str, Stage]:
    """stem, branch (nothing runs there: branches that share a stem part and may meet), encoder1 ... encoder5."""
    return {"stem": ("stem",), "branch": (), **{f"encoder{i + 1}": (f"encoder.{i}",) for i in range(STAGES)}}


def _decode(net: nn.Module, memory: Memory) -> Tensor:
    assert isinstance(net, PetMapNet)
    return net.finish(memory[f"decoder{STAGES + 1}"], memory["size"])


@as_stream.register
def _(net: PetMapNet) -> Stream:
    """Stages stem, branch, encoder1 ... encoder5, decoder1 ... decoder6."""
    decoder: dict[str, Stage] = {f"decoder{i + 1}": (f"decoder.{i}",) for i in range(STAGES + 1)}
    return Stream(net, encoder_stages() | decoder, enter=note_size, exit=_decode, head=("last",))


@as_stream.register
def _(net: PetNumbersNet) -> Stream:
    """Stages stem, branch, encoder1 ... encoder5."""
    return Stream(net, encoder_stages(), enter=note_size, exit=Through("head", f"encoder{STAGES}"), head=("head.last",))
