"""A pyramid scene parsing network on VGG-16: the segmentation network of the cross-connected paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, final

from annotated_types import Len
from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.heads.dense import PyramidPooling
from taskweave.heads.layers import Count, Epsilon, Momentum, Norm, Rate
from taskweave.networks.headed import headed_stream
from taskweave.networks.vgg.vgg16_body import CROSS_CONNECTED, Width, block_widths, body_stages, vgg16_body
from taskweave.parts import Part, part
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Stream


def pspnet_vgg16(
    channels: int,
    *,
    bins: Annotated[tuple[Count, ...], Len(1)] = (1, 2, 3, 6),
    output_stride: Literal[8, 16] = 8,
    hidden: Count = 512,
    dropout: Rate = 0.1,
    width: Width = 64,
    batch_norm: bool = False,
    bn_momentum: Momentum = 0.1,
    bn_eps: Epsilon = 1e-5,
) -> PSPNetVGG16:
    """A new PSPNet on VGG-16; (B, 3, H, W) -> (B, channels, ceil(H / 8), ceil(W / 8)), any H and W.

    Pools are 2x2; there is no pool5. The paper's loss, cross-entropy summed over all pixels, is the task's.
    Size: 19,706,708 parameters for 20 channels.
    Source: Kawakami et al., Cross-connected networks, section 3; Zhao et al., PSPNet (CVPR 2017). How the paper pools
    VGG-16's last blocks is not said; output_stride=8 is our reading.

    Args:
        channels: Of the output, e.g. classes.
        bins: Cells a side of the pooled grids.
        output_stride: 8, as PSPNet has it: pool4 is left out and conv5 dilated by 2; 16: VGG-16's own grid. Up to conv4_3
            both are the grid of `rpn_vgg16`.
        hidden: Channels of the layer before the classes.
        dropout: Before the last layer.
        width: Channels of conv1; only 64, VGG-16's, takes its weights (`load_vgg16`, `load_pretrained`).
        batch_norm: Whether one follows every convolution of the body and in the head, whose biases it replaces.
        bn_momentum: Of every batch norm.
        bn_eps: Of every batch norm.

    Raises:
        ValueError: `output_stride` is neither 8 nor 16, or `bins` are no grids.
    """
    if output_stride not in (8, 16):
        raise ValueError(f"output_stride is 8 or 16, got {output_stride!r}")
    norm = (bn_momentum, bn_eps) if batch_norm else None
    shape = FeatureShape.image(block_widths(width)[-1], stride=output_stride)
    head = PyramidPooling(shape, channels, bins=bins, hidden=hidden, dropout=dropout, batch_norm=norm)
    return PSPNetVGG16(head, output_stride=output_stride, width=width, batch_norm=norm)


def pspnet_on_the_body_of(options: Mapping[str, Any]) -> Part[nn.Module]:
    """The PSPNet whose body is that of a network on VGG-16 with these options."""
    same = {name: options[name] for name in ("width", "batch_norm", "bn_momentum", "bn_eps")}
    return part(pspnet_vgg16, **same, hidden=8 * options["width"])


@final
class PSPNetVGG16(nn.Module):
    """VGG-16's convolutions at 1/8 or 1/16 of the input, and a head; see `pspnet_vgg16`."""

    usual_stages: ClassVar[tuple[str, ...]] = CROSS_CONNECTED
    """Cross-connected paper, section 3."""
    body_end: ClassVar[str] = "conv5_3"
    gives: ClassVar[str] = "map"
    dense_counterpart = staticmethod(pspnet_on_the_body_of)

    def __init__(
        self, head: PyramidPooling, *, output_stride: int = 8, width: int = 64, batch_norm: Norm | None = None
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


@as_stream.register
def _(net: PSPNetVGG16) -> Stream:
    """Stages conv1_1, conv1_2, pool1 ... conv5_3; the last layer is the head's classifier."""
    return headed_stream(net, body_stages(net.features))
