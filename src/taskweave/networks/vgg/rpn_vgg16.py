"""A region proposal network on VGG-16: the detector of the cross-connected paper."""

from __future__ import annotations

from typing import ClassVar, final

from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.heads.anchors import NINE_SCALES, AnchorHead, Sizes
from taskweave.heads.layers import Count, Epsilon, Momentum, Norm
from taskweave.heads.outputs import AnchorOutputs
from taskweave.networks.headed import headed_stream
from taskweave.networks.vgg.pspnet_vgg16 import pspnet_on_the_body_of
from taskweave.networks.vgg.vgg16_body import CROSS_CONNECTED, Width, block_widths, body_stages, vgg16_body
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Stream

_STRIDE = 16


def rpn_vgg16(
    channels: int,
    *,
    heights: Sizes = NINE_SCALES,
    ratios: Sizes = (0.41,),
    hidden: Count = 512,
    width: Width = 64,
    batch_norm: bool = False,
    bn_momentum: Momentum = 0.1,
    bn_eps: Epsilon = 1e-5,
) -> RPNVGG16:
    """A new region proposal network that is the detector; (B, 3, H, W) -> AnchorOutputs, any H and W.

    It reads conv5_3, a grid of ceil(H / 16) x ceil(W / 16) cells (pools 2x2; a last odd row or column is pooled alone).
    Size: 17,102,198 parameters for one class beside background and nine anchors.
    Source: Kawakami et al., Cross-connected networks, section 3; Ren et al., Faster R-CNN (NeurIPS 2015), section 3.1.

    Args:
        channels: Classes, background included.
        heights: Of the anchors, in pixels of the input: nine scales. `BIRDS` has those for birds.
        ratios: Of the anchors, width over height; pedestrians have one.
        hidden: Channels of the head's 3x3 layer.
        width: Channels of conv1; only 64, VGG-16's, takes its weights (`load_vgg16`, `load_pretrained`).
        batch_norm: Whether one follows every convolution of the body, whose biases it replaces (VGG-16-BN).
        bn_momentum: Of every batch norm.
        bn_eps: Of every batch norm.

    Raises:
        ValueError: There is no class beside background, or an anchor without extent.
    """
    norm = (bn_momentum, bn_eps) if batch_norm else None
    shape = FeatureShape.image(block_widths(width)[-1], stride=_STRIDE)
    head = AnchorHead(shape, channels, heights=heights, ratios=ratios, hidden=hidden)
    return RPNVGG16(head, width=width, batch_norm=norm)


@final
class RPNVGG16(nn.Module):
    """VGG-16's convolutions at 1/16 of the input, and a head; see `rpn_vgg16`."""

    usual_stages: ClassVar[tuple[str, ...]] = CROSS_CONNECTED
    """Cross-connected paper, section 3."""
    body_end: ClassVar[str] = "conv5_3"
    gives: ClassVar[str] = "anchors"

    dense_counterpart = staticmethod(pspnet_on_the_body_of)

    def __init__(self, head: AnchorHead, *, width: int = 64, batch_norm: Norm | None = None) -> None:
        super().__init__()
        pools = [nn.MaxPool2d(2, stride=2, ceil_mode=True) for _ in range(4)]
        self.features = vgg16_body(pools, width=width, batch_norm=batch_norm)
        self.head = head

    def forward(self, x: Tensor) -> AnchorOutputs:
        output: AnchorOutputs = self.head(self.features(x))
        return output


@as_stream.register
def _(net: RPNVGG16) -> Stream:
    """Stages conv1_1, conv1_2, pool1 ... conv5_3; the last layers are the head's scores and boxes."""
    return headed_stream(net, body_stages(net.features))
