"""MTAN on SegNet: one shared network, attention blocks and a head for every task. STAN is its form for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import final

from torch import Tensor, nn
from torch.nn import functional as F

from taskweave.features import FeatureShape
from taskweave.heads.layers import ConvReLU
from taskweave.networks.headed import Call, headed_stream
from taskweave.networks.segnet.segnet_vgg16 import (
    BLOCKS,
    NORM,
    WIDTHS,
    Five,
    OnSegNet,
    SegNetBody,
    SegNetHead,
    decoder_widths,
    segnet_of,
)
from taskweave.parts import Part, part, states
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Stage, Step, Stream
from taskweave.units.attention import Attention
from taskweave.units.unit import Unit
from taskweave.weaving.connected import Connected

MTAN_ATTENTION = part(Attention, kernel_size=1)
"""MTAN's mask: two 1x1 convolutions, each with batch norm; ReLU after the first, a sigmoid after the second."""


@states(title="MTAN", dense_counterpart=segnet_of, gives="map")
def mtan_segnet(outputs: Mapping[str, int], *, widths: Five = WIDTHS, attention: Part[Unit] = MTAN_ATTENTION) -> Connected:
    """Build an MTAN: (B, 3, H, W) -> {task: (B, channels, H, W)}, any H and W.

    The SegNet is the trunk, f is shared too, and each task's stream goes on from the trunk's features with attention blocks
    of its own: `stan_segnet` with other tasks beside it. Every stream's network is such a STAN, whose `body` and `path` are
    the same objects for all tasks.
    Source: Liu et al., "End-to-end multi-task learning with attention" (CVPR 2019), section 3, figure 2.

    Units between the tasks' columns: ``Connected({t: net.stream(t) for t in net.streams}, connections, trunk=net.trunk)``,
    at the stages attend_conv1_2 ... attend_dec1_2.
    Weights: ``load_vgg16(net.stream(task).net, ...)`` of any task loads the encoder that all share.
    Size: 44,203,985 parameters for 13, 1 and 3 channels, 1.77 times a `segnet_vgg16`.

    Args:
        outputs: {task: channels of its output}.
        widths: As in `segnet_vgg16`.
        attention: As in `stan_segnet`.

    Raises:
        ValueError: There are not five positive widths.
    """
    body, path = SegNetBody(widths), AttendedPath(widths)
    streams = {
        name: as_stream(STANSegNet(body, path, attention_column(widths, attention), SegNetHead(widths[0], channels)))
        for name, channels in outputs.items()
    }
    return Connected(streams, trunk=list(body.stages("body"))[-1])


def stan_segnet(channels: int, *, widths: Five = WIDTHS, attention: Part[Unit] = MTAN_ATTENTION) -> STANSegNet:
    """Build a STAN, MTAN for one task: (B, 3, H, W) -> (B, channels, H, W), any H and W.

    A SegNet, and beside it a column of ten attention blocks, one for each of its blocks:
    a_j = m_j * p_j,  m_j = sigmoid(BN(W_2 ReLU(BN(W_1 [u_j; f_j(a_(j-1))])))), m_1 from u_1 alone;
    in the encoder u_j and p_j are the outputs of block j's first and last convolution, and f_j is a 3x3 convolution (batch
    norm, ReLU) followed by a 2x2 max-pool; in the decoder u_j is the unpooled map, and f_j enlarges to its size first
    (bilinear, align_corners=True). The head takes the last a.
    Source: Liu et al., "End-to-end multi-task learning with attention" (CVPR 2019), section 3.2, eqs. 1 and 2; "STAN" is
    the single-task attention network of its tables.

    Weights: as in `segnet_vgg16`.

    Deviations: the paper does not print f's order, the resizing or the channels of W_1; these are the public code's (W_1
    gives as many as p has). Otherwise as in `segnet_vgg16`.
    Size: 38,170,701 parameters for 13 channels.

    Args:
        channels: Of the output, e.g. classes.
        widths: As in `segnet_vgg16`.
        attention: The attention block, built from the shapes of [u, f(a), p] (of [u, p] for the first).

    Raises:
        ValueError: There are not five positive widths.
    """
    body, column = SegNetBody(widths), attention_column(widths, attention)
    return STANSegNet(body, AttendedPath(widths), column, SegNetHead(widths[0], channels))


@final
class AttendedPath(nn.Module):
    """MTAN's f: what carries an attended feature to the next block. All tasks use one.

    Called with the number (1 to 9) of the attention block that receives, the attended feature and the receiver's size.
    """

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        below = (*widths[1:], widths[-1])
        out = decoder_widths(widths)
        received = (*out[1:], widths[-1])
        layer = partial(ConvReLU, kernel_size=3, batch_norm=NORM)
        self.down = nn.ModuleList(layer(widths[i], below[i]) for i in range(BLOCKS))
        self.up = nn.ModuleList(layer(received[i], out[i]) for i in reversed(range(BLOCKS)))

    def forward(self, receiver: int, x: Tensor, size: Sequence[int]) -> Tensor:
        if receiver <= BLOCKS:
            x = F.max_pool2d(self.down[receiver - 1](x), 2, ceil_mode=True)
        if receiver >= BLOCKS:
            x = self.up[receiver - BLOCKS](F.interpolate(x, size=list(size), mode="bilinear", align_corners=True))
        return x

    @staticmethod
    def modules_of(receiver: int, path: str) -> list[str]:
        """Paths of what a call for `receiver` runs."""
        down = [f"{path}.down.{receiver - 1}"] if 0 < receiver <= BLOCKS else []
        return down + ([f"{path}.up.{receiver - BLOCKS}"] if receiver >= BLOCKS else [])


def attention_column(widths: Sequence[int], attention: Part[Unit] = MTAN_ATTENTION) -> nn.ModuleList:
    """The attention blocks of one task, five along the encoder and five along the decoder."""
    out = decoder_widths(widths)
    encoder = [(width,) * (2 if i == 0 else 3) for i, width in enumerate(widths)]  # nothing is below the first
    channels = [*encoder, *((widths[i], out[i], out[i]) for i in reversed(range(BLOCKS)))]
    return nn.ModuleList(attention([FeatureShape.image(c) for c in each]) for each in channels)  # of any size


@final
class STANSegNet(OnSegNet):
    """SegNet, f, one task's attention blocks and its head; see `stan_segnet`. In an MTAN the first two are shared."""

    dense_counterpart = staticmethod(segnet_of)

    def __init__(self, body: SegNetBody, path: AttendedPath, attention: nn.ModuleList, head: SegNetHead) -> None:
        super().__init__()
        self.body = body
        self.path = path
        self.attention = attention
        self.head = head
        self.reads = _reads(body)

    def forward(self, x: Tensor) -> Tensor:
        seen = self.body(x)
        for block in range(len(self.reads)):
            x = self.attend(block, x, seen)
        logits: Tensor = self.head(x)
        return logits

    def attend(self, block: int, below: Tensor, seen: Mapping[str, Tensor]) -> Tensor:
        """a_j of attention block `block`, from 0, given the one below and the shared network's features."""
        first, last = (seen[name] for name in self.reads[block])
        carried = [self.path(block, below, first.shape[-2:])] if block else []
        (attended,) = self.attention[block]([first, *carried, last])
        return attended  # type: ignore[no-any-return]


def _reads(body: SegNetBody) -> list[tuple[str, str]]:
    """The stages (u_j, p_j) that each attention block reads."""
    encoder = [(f"conv{block}_1", f"conv{block}_{depth}") for block, depth in enumerate(body.depths, 1)]
    return encoder + [(f"unpool{block}", body.decoder_block(block)[-1]) for block in range(BLOCKS, 0, -1)]


@as_stream.register
def _(net: STANSegNet) -> Stream:
    """SegNet's stages conv1_1 ... dec1_2, then attend_conv1_2 ... attend_dec1_2, named for what they weigh, and hidden."""
    stages: dict[str, Stage] = net.body.stages("body")
    for block, (_, last) in enumerate(net.reads):
        modules = (*AttendedPath.modules_of(block, "path"), f"attention.{block}")
        stages[f"attend_{last}"] = Step(Call("attend", block), modules)
    return headed_stream(net, stages)
