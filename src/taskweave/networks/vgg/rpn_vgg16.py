"""A region proposal network on VGG-16: the detector of the cross-connected paper."""

from __future__ import annotations

from typing import ClassVar, final

from torch import Tensor, nn

from taskweave.heads.anchors import PEDESTRIANS, Anchors
from taskweave.heads.outputs import AnchorOutputs
from taskweave.heads.rpn import AnchorHead
from taskweave.networks.vgg.vgg16_body import CROSS_CONNECTED, block_widths, vgg16_body
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Memory, Stage, Stream

_STRIDE = 16


def rpn_vgg16(
    classes: int = 1,
    *,
    anchors: Anchors = PEDESTRIANS,
    hidden: int = 512,
    width: int = 64,
    batch_norm: bool = False,
    bn_momentum: float = 0.1,
    bn_eps: float = 1e-5,
) -> RPNVGG16:
    """A fresh region proposal network that is the detector; (B, 3, H, W) -> AnchorOutputs, any H and W.

    It reads conv5_3, a grid of ceil(H / 16) x ceil(W / 16) cells (pools 2x2; a last odd row or column is pooled alone).

    classes: without background.
    anchors: `PEDESTRIANS` (one ratio, .41, nine scales), `BIRDS`, or ``Anchors(heights, ratios)``.
    hidden: channels of the head's 3x3 layer.
    width: channels of conv1; 64 is VGG-16's, which alone takes its weights (`load_vgg16`, `load_pretrained`).
    batch_norm: after every convolution of the body, whose biases it replaces (VGG-16-BN).
    Size: 17,102,198 parameters for one class and nine anchors.
    Source: Kawakami et al., Cross-connected networks, section 3; Ren et al., Faster R-CNN (NeurIPS 2015), section 3.1.
    """
    norm = (bn_momentum, bn_eps) if batch_norm else None
    head = AnchorHead(block_widths(width)[-1], classes, anchors=anchors, stride=_STRIDE, hidden=hidden)
    return RPNVGG16(head, width=width, batch_norm=norm)


@final
class RPNVGG16(nn.Module):
    """VGG-16's convolutions at 1/16 of the input, and a head; see `rpn_vgg16`."""

    places: ClassVar[tuple[str, ...]] = CROSS_CONNECTED
    """Where units go unless told otherwise (cross-connected paper, section 3)."""

    def __init__(self, head: AnchorHead, *, width: int = 64, batch_norm: tuple[float, float] | None = None) -> None:
        super().__init__()
        pools = [nn.MaxPool2d(2, stride=2, ceil_mode=True) for _ in range(4)]
        self.features = vgg16_body(pools, width=width, batch_norm=batch_norm)
        self.head = head

    def forward(self, x: Tensor) -> AnchorOutputs:
        output: AnchorOutputs = self.head(self.features(x))
        return output


def _detect(net: nn.Module, memory: Memory) -> AnchorOutputs:
    output: AnchorOutputs = net.get_submodule("head")(memory["conv5_3"])
    return output


@as_stream.register
def _(net: RPNVGG16) -> Stream:
    """Stages conv1_1, conv1_2, pool1 ... conv5_3; the last layers are the head's scores and boxes."""
    stages: dict[str, Stage] = {name: (f"features.{name}",) for name, _ in net.features.named_children()}
    return Stream(net, stages, exit=_detect, head=("head.logits", "head.deltas"))
