"""SegNet on VGG-16: the network of the MTAN paper's dense tasks and of its baselines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, final

from torch import Tensor, nn

from taskweave.networks.segnet.segnet_body import DEPTHS, HEAD, HEAD_STAGE, WIDTHS, SegNetBody, classify, segnet_head
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Stream


def segnet_vgg16(channels: int, *, widths: Sequence[int] = WIDTHS, depths: Sequence[int] = DEPTHS) -> SegNetVGG16:
    """A fresh SegNet; (B, 3, H, W) -> (B, channels, H, W), any H and W.

    Encoder: VGG-16's thirteen 3x3 convolutions, each with batch norm and ReLU, and a 2x2 max-pool after each block.
    Decoder: for each block a max-unpool, which puts the numbers where the encoder's maxima were found, and as many
    convolutions. The head is a 3x3 and a 1x1 convolution.
    Source: Badrinarayanan et al., "SegNet" (TPAMI 2017); Liu et al., "End-to-end multi-task learning with attention" (CVPR
    2019), section 4.1: the shared network of `mtan_segnet` and the single-task baseline of its tables.

    channels: of the output, e.g. classes.
    widths: channels of each block's convolutions; a block of the decoder hands on those of the block before its own.
    depths: convolutions per block; VGG-16's unless given.
    Weights: `load_vgg16` or `load_pretrained` (torchvision's VGG-16 with batch norm) for an encoder of VGG-16's size;
    without them the start is He's.

    Deviations: where the papers leave it open or differ this is the form of MTAN's public code: the first convolution of a
    decoder block changes the channels (SegNet: the last), and the head has two layers with nothing between them. He's start
    instead of Xavier's. Convolutions before a batch norm have no bias, which the norm would cancel. An odd side is rounded
    up where it is halved and comes back exactly.
    Size: 24,973,901 parameters for 13 channels; with the cancelled biases the authors' 24,981,069.
    Raises ValueError unless there are five positive widths and depths.
    """
    return SegNetVGG16(SegNetBody(widths, depths=depths), segnet_head(widths[0], channels))


@final
class SegNetVGG16(nn.Module):
    """SegNet's encoder and decoder, and a head; see `segnet_vgg16`.

    head: children `hidden` and `classifier`; takes the decoder's last feature.
    """

    places: ClassVar[tuple[str, ...]] = (
        *(f"pool{block}" for block in range(1, 6)),
        *("dec5_3", "dec4_3", "dec3_3", "dec2_2"),
    )
    """Where units go unless told otherwise: after every pool and every decoder block but the last, as in MTAN's
    cross-stitch baseline. Of VGG-16's depths."""

    def __init__(self, body: SegNetBody, head: nn.Module) -> None:
        super().__init__()
        self.body = body
        self.head = head

    @property
    def features(self) -> nn.Sequential:
        """The encoder's convolutions, for `load_vgg16`."""
        return self.body.features

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(x)[self.body.decoder_block(1)[-1]])
        return logits


@as_stream.register
def _(net: SegNetVGG16) -> Stream:
    """Stages conv1_1, conv1_2, pool1 ... pool5, then unpool5, dec5_1, dec5_2, dec5_3, unpool4 ... dec1_2, and hidden."""
    return Stream(net, net.body.stages("body") | HEAD_STAGE, exit=classify, head=HEAD)
