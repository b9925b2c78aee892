"""MTAN's baselines on SegNet: Dense, a SegNet per task beside a shared one; Split, one SegNet with a head per task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, final

import torch
from torch import Tensor, nn

from taskweave.heads.layers import ConvReLU
from taskweave.networks.headed import Call, headed_stream, note_image
from taskweave.networks.segnet.segnet_vgg16 import (
    BLOCKS,
    DEPTHS,
    NORM,
    WIDTHS,
    Five,
    SegNetBody,
    SegNetHead,
    SegNetVGG16,
    check_widths,
    decoder_widths,
    pooled,
    segnet_of,
    unpooled,
)
from taskweave.parts import states
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Memory, Stage, Step, Stream
from taskweave.weaving.connected import Connected

Grown = Literal["standard", "wide", "deep"]


@states(title="Dense", dense_counterpart=segnet_of, gives="map")
def dense_segnet(outputs: Mapping[str, int], *, widths: Five = WIDTHS) -> Connected:
    """Build MTAN's "Dense" baseline on SegNet: (B, 3, H, W) -> {task: (B, channels, H, W)}, any H and W.

    A shared SegNet is the trunk. Each task has a SegNet of its own beside it, whose every block reads the shared network's
    feature of its size behind its own: after a pool the shared pooled map, after an unpool the shared unpooled one.
    Source: Liu et al., "End-to-end multi-task learning with attention" (CVPR 2019), section 4.1: "Dense", a shared and
    task-specific networks "without any attention modules".

    Weights: ``load_vgg16(net.stream(task).net, ...)`` of any task loads the shared encoder; the tasks' own are of no
    network's size.

    Deviations: the paper does not print where features are handed on, nor widths; these are its public code's (in which the
    first of a task's two last convolutions keeps the doubled width). The shared decoder's last block is left out: nobody
    reads it. Otherwise as in `segnet_vgg16`.
    Size: 123,670,673 parameters for 13, 1 and 3 channels.

    Args:
        outputs: {task: channels of its output}.
        widths: As in `segnet_vgg16`.

    Raises:
        ValueError: There are not five positive widths.
    """
    shared = SegNetBody(widths, complete=False)
    streams = {name: as_stream(DenseSegNet(shared, SegNetHead(widths[0], channels))) for name, channels in outputs.items()}
    return Connected(streams, trunk=list(shared.stages("shared"))[-1])


@states(title=lambda options: f"Split ({options['grown']})", dense_counterpart=segnet_of, gives="map")
def split_segnet(outputs: Mapping[str, int], *, grown: Grown = "wide", widths: Five = WIDTHS) -> Connected:
    """Build MTAN's "Split" baseline on SegNet: (B, 3, H, W) -> {task: (B, channels, H, W)}, any H and W.

    One `segnet_vgg16`, whose encoder and decoder are the trunk, and a head for each task.
    Source: Liu et al., "End-to-end multi-task learning with attention" (CVPR 2019), section 4.1: "Split (Wide, Deep)" has
    more filters or more layers, until it has at least as many parameters as `mtan_segnet`.

    Weights: ``load_vgg16(net.stream(task).net, ...)`` of any task, where it is "standard".
    Size for 13, 1 and 3 channels: 25,048,017 parameters ("standard"), 43,925,457 ("wide"), 50,793,425 ("deep").

    Args:
        outputs: {task: channels of its output}.
        grown: "wide" doubles the channels of the fifth block, "deep" the convolutions of every block, "standard" neither.
            The paper does not print how they grew; this is its public code's.
        widths: As in `segnet_vgg16`, before they grow.

    Raises:
        ValueError: `grown` is another word, or there are not five positive widths.
    """
    if grown not in ("standard", "wide", "deep"):
        raise ValueError(f"grown is 'standard', 'wide' or 'deep', got {grown!r}")
    check_widths(widths)
    wider = (*widths[:-1], 2 * widths[-1]) if grown == "wide" else tuple(widths)
    body = SegNetBody(wider, depths=[2 * depth for depth in DEPTHS] if grown == "deep" else DEPTHS)
    streams = {name: as_stream(SegNetVGG16(body, SegNetHead(widths[0], channels))) for name, channels in outputs.items()}
    return Connected(streams, trunk=list(body.stages("body"))[-1])


@final
class DenseSegNet(nn.Module):
    """One task's SegNet beside the shared one that it reads; see `dense_segnet`. `shared` is one object for all tasks."""

    body_end: ClassVar[str] = "unpool1"
    body_prefix: ClassVar[str] = "shared."
    gives: ClassVar[str] = "map"

    def __init__(self, shared: SegNetBody, head: SegNetHead) -> None:
        super().__init__()
        widths = shared.widths
        out = decoder_widths(widths)
        sources = (3, *(2 * width for width in widths[:-1]))
        self.shared = shared
        self.encoder = nn.ModuleList(_block(sources[i], [widths[i]] * DEPTHS[i]) for i in range(BLOCKS))
        last = [[2 * widths[0], out[0]]]
        decoder = [*last, *([out[i]] * DEPTHS[i] for i in range(1, BLOCKS))]
        self.decoder = nn.ModuleList(_block(2 * width, own) for width, own in zip(widths, decoder, strict=True))
        self.head = head

    @property
    def features(self) -> nn.Sequential:
        """The shared encoder's convolutions, for `load_vgg16`."""
        return self.shared.features

    def forward(self, x: Tensor) -> Tensor:
        memory = {**self.shared(x), "image": x}
        for block in range(1, BLOCKS + 1):
            x = self.down(block, x, memory)
        for block in range(BLOCKS, 0, -1):
            x = self.up(block, x, memory)
        logits: Tensor = self.head(x)
        return logits

    def down(self, block: int, x: Tensor, memory: Memory) -> Tensor:
        """Encoder block `block`, from 1, on the pooled feature above (or the picture); notes what undoes its pool."""
        x = torch.cat([x, memory[f"pool{block - 1}"]], 1) if block > 1 else memory["image"]
        x = self.encoder[block - 1](x)
        maxima, places = pooled(x)
        memory[f"own_maxima{block}"] = (places, x.shape[-2:])
        return maxima

    def up(self, block: int, x: Tensor, memory: Memory) -> Tensor:
        """Decoder block `block`, from 5 to 1, on the feature below."""
        large = unpooled(x, *memory[f"own_maxima{block}"])
        out: Tensor = self.decoder[block - 1](torch.cat([large, memory[f"unpool{block}"]], 1))
        return out


def _block(sources: int, widths: Sequence[int]) -> nn.Sequential:
    before = (sources, *widths[:-1])
    return nn.Sequential(
        *(ConvReLU(s, width, kernel_size=3, batch_norm=NORM) for s, width in zip(before, widths, strict=True))
    )


@as_stream.register
def _(net: DenseSegNet) -> Stream:
    """The shared SegNet's stages conv1_1 ... unpool1, own blocks own_pool1 ... own_pool5, own_dec5 ... own_dec1, hidden."""
    stages: dict[str, Stage] = net.shared.stages("shared")
    stages |= {f"own_pool{block}": Step(Call("down", block), (f"encoder.{block - 1}",)) for block in range(1, BLOCKS + 1)}
    stages |= {f"own_dec{block}": Step(Call("up", block), (f"decoder.{block - 1}",)) for block in range(BLOCKS, 0, -1)}
    return headed_stream(net, stages, enter=note_image)
