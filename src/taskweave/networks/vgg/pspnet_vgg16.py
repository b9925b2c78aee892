"""A pyramid scene parsing network on VGG-16: the segmentation network of the cross-connected paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, final

from torch import Tensor, nn

from taskweave.heads.pyramid import PyramidPooling
from taskweave.networks.vgg.vgg16_body import CROSS_CONNECTED, block_widths, vgg16_body
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Memory, Stage, Stream


def pspnet_vgg16(
    channels: int,
    *,
    bins: Sequence[int] = (1, 2, 3, 6),
    output_stride: Literal[8, 16] = 8,
    hidden: int = 512,
    dropout: float = 0.1,
    width: int = 64,
    batch_norm: bool = False,
    bn_momentum: float = 0.1,
    bn_eps: float = 1e-5,
) -> PSPNetVGG16:
    """A fresh PSPNet on VGG-16; (B, 3, H, W) -> (B, channels, ceil(H / 8), ceil(W / 8)), any H and W.

    Pools are 2x2; there is no pool5.

    channels: of the output, e.g. classes.
    bins: cells a side of the pooled grids.
    output_stride: 8, as PSPNet has it: pool4 is left out and conv5 dilated by 2; 16: VGG-16's own grid. Up to conv4_3
        both are the grid of `rpn_vgg16`.
    hidden: channels of the layer before the classes.
    width: channels of conv1; 64 is VGG-16's, which alone takes its weights (`load_vgg16`, `load_pretrained`).
    batch_norm: after every convolution of the body and in the head, whose biases it replaces.
    Size: 19,706,708 parameters for 20 channels.

    The paper's loss, cross-entropy summed over all pixels, is the task's: ``Segmentation(classes, summed=True)``.
    Source: Kawakami et al., Cross-connected networks, section 3; Zhao et al., PSPNet (CVPR 2017). How the paper pools
    VGG-16's last blocks is not said; output_stride=8 is the reading.
    """
    if output_stride not in (8, 16):
        raise ValueError(f"output_stride is 8 or 16, got {output_stride!r}")
    norm = (bn_momentum, bn_eps) if batch_norm else None
    head = PyramidPooling(block_widths(width)[-1], channels, bins=bins, hidden=hidden, dropout=dropout, batch_norm=norm)
    return PSPNetVGG16(head, output_stride=output_stride, width=width, batch_norm=norm)


@final
class PSPNetVGG16(nn.Module):
    """VGG-16's convolutions at 1/8 or 1/16 of the input, and a head; see `pspnet_vgg16`."""

    places: ClassVar[tuple[str, ...]] = CROSS_CONNECTED
    """Where units go unless told otherwise (cross-connected paper, section 3)."""

    def __init__(
        self,
        head: PyramidPooling,
        *,
        output_stride: Literal[8, 16] = 8,
        width: int = 64,
        batch_norm: tuple[float, float] | None = None,
    ) -> None:
        super().__init__()
        pools: list[nn.Module] = [nn.MaxPool2d(2, stride=2, ceil_mode=True) for _ in range(4)]
        dilated = output_stride == 8
        if dilated:
            pools[3] = nn.Identity()  # a stage all the same: Share 4 ends there
        self.features = vgg16_body(pools, width=width, last_dilation=2 if dilated else 1, batch_norm=batch_norm)
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(x))
        return logits


def _parse(net: nn.Module, memory: Memory) -> Tensor:
    logits: Tensor = net.get_submodule("head")(memory["conv5_3"])
    return logits


@as_stream.register
def _(net: PSPNetVGG16) -> Stream:
    """Stages conv1_1, conv1_2, pool1 ... conv5_3; the last layer is the head's classifier."""
    stages: dict[str, Stage] = {name: (f"features.{name}",) for name, _ in net.features.named_children()}
    return Stream(net, stages, exit=_parse, head=("head.classifier",))
