"""Networks on VGG-16: a classifier, DeepLab, PSPNet and a region proposal network."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, final

from annotated_types import Ge, Len
from torch import nn

from taskweave.features import FeatureShape
from taskweave.heads.anchors import NINE_SCALES, AnchorHead, Sizes
from taskweave.heads.dense import LargeFOV, PyramidPooling
from taskweave.heads.layers import ConvReLU, Count, Epsilon, Head, Momentum, Norm, Rate
from taskweave.heads.pooled import VGGClassifier
from taskweave.networks.headed import Headed, normed
from taskweave.parts import Part, part

Width = Annotated[int, Ge(4)]
_DEPTHS = (2, 2, 3, 3, 3)

CROSS_CONNECTED = tuple(f"conv{block}_{i}" for block, depth in enumerate(_DEPTHS[:4], 1) for i in range(1, depth + 1))
"""conv1_1 ... conv4_3: the ten stages of the cross-connected paper."""


def block_widths(width: int = 64) -> tuple[int, int, int, int, int]:
    """Channels of the five blocks: 64, 128, 256, 512, 512 for VGG-16's own width."""
    return (width, 2 * width, 4 * width, 8 * width, 8 * width)


def vgg16_body(
    pools: Sequence[nn.Module],
    *,
    width: int = 64,
    last_dilation: int = 1,
    batch_norm: Norm | None = None,
) -> nn.Sequential:
    """conv1_1, conv1_2, pool1, conv2_1 ... conv5_3, each convolution with its ReLU.

    Source: Simonyan and Zisserman (ICLR 2015), configuration D.

    Args:
        pools: After the first, second, ... block; the last blocks may go without.
        width: Channels of the first block; see `block_widths`.
        last_dilation: Of the fifth block.
        batch_norm: None, or (momentum, eps).
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels = 3
    for block, (out, depth) in enumerate(zip(block_widths(width), _DEPTHS, strict=True), 1):
        for i in range(1, depth + 1):
            layers[f"conv{block}_{i}"] = ConvReLU(
                channels, out, kernel_size=3, dilation=last_dilation if block == 5 else 1, batch_norm=batch_norm
            )
            channels = out
        if block <= len(pools):
            layers[f"pool{block}"] = pools[block - 1]
    return nn.Sequential(layers)


def deeplab_vgg16(
    channels: int,
    *,
    head: Part[Head] = part(LargeFOV),
    batch_norm: bool = True,
    bn_momentum: Momentum = 0.05,
    bn_eps: Epsilon = 1e-3,
) -> DeepLabVGG16:
    """Build a DeepLab on VGG-16: (B, 3, H, W) -> (B, channels, ~H/8, ~W/8), any H and W.

    Pools are 3x3; pool4 and pool5 keep the size (stride 1) and conv5 is dilated by 2, so the output is 1/8 of the input
    (size n -> (n + 1) // 2 three times). pool5 is a 3x3 maximum followed by a 3x3 mean.
    Size: 20,524,904 parameters for 40 channels, 20,531,176 with batch norm.
    Weights: `load_vgg16` or `load_pretrained`; without them He's initialisation, zero biases, N(0, .01) in fc8.
    Source: Chen et al., DeepLab (ICLR 2015; TPAMI 2018); Gao et al., NDDR-CNN (CVPR 2019), section 5.1.

    Args:
        channels: Of the output, e.g. classes.
        head: `LargeFOV`, or `ASPP` for the sum of four of these (rates 6, 12, 18, 24).
        batch_norm: Whether one follows every convolution but the last and replaces its biases (the NDDR authors' form).
        bn_momentum: Of every batch norm; the NDDR authors' decay is .95.
        bn_eps: Of every batch norm.
    """
    norm = (bn_momentum, bn_eps) if batch_norm else None
    top = normed(head, norm)(FeatureShape.image(block_widths()[-1], stride=8), channels)
    pools: list[nn.Module] = [nn.MaxPool2d(3, stride=stride, padding=1) for stride in (2, 2, 2, 1, 1)]
    pools[-1] = nn.Sequential(pools[-1], nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False))
    return DeepLabVGG16(vgg16_body(pools, last_dilation=2, batch_norm=norm), top)


@final
class DeepLabVGG16(Headed):
    """VGG-16's convolutions at 1/8 of the input, and a head; see `deeplab_vgg16`."""

    usual_stages: ClassVar[tuple[str, ...]] = ("pool1", "pool2", "pool3", "pool4", "pool5")
    """NDDR-CNN, section 3.4."""
    body_end: ClassVar[str] = "pool5"
    gives: ClassVar[str] = "map"


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
    """Build a PSPNet on VGG-16: (B, 3, H, W) -> (B, channels, ceil(H / 8), ceil(W / 8)), any H and W.

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
    pools: list[nn.Module] = [nn.MaxPool2d(2, stride=2, ceil_mode=True) for _ in range(4)]
    dilated = output_stride == 8
    if dilated:
        pools[3] = nn.Identity()  # a stage all the same: Share 4 ends there
    return PSPNetVGG16(vgg16_body(pools, width=width, last_dilation=2 if dilated else 1, batch_norm=norm), head)


def pspnet_on_the_body_of(options: Mapping[str, Any]) -> Part[nn.Module]:
    """The PSPNet whose body is that of a network on VGG-16 with these options."""
    same = {name: options[name] for name in ("width", "batch_norm", "bn_momentum", "bn_eps")}
    return part(pspnet_vgg16, **same, hidden=8 * options["width"])


@final
class PSPNetVGG16(Headed):
    """VGG-16's convolutions at 1/8 or 1/16 of the input, and a head; see `pspnet_vgg16`."""

    usual_stages: ClassVar[tuple[str, ...]] = CROSS_CONNECTED
    """Cross-connected paper, section 3."""
    body_end: ClassVar[str] = "conv5_3"
    gives: ClassVar[str] = "map"
    dense_counterpart = staticmethod(pspnet_on_the_body_of)


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
    """Build a region proposal network used as a detector: (B, 3, H, W) -> AnchorOutputs, any H and W.

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
    shape = FeatureShape.image(block_widths(width)[-1], stride=16)
    head = AnchorHead(shape, channels, heights=heights, ratios=ratios, hidden=hidden)
    pools = [nn.MaxPool2d(2, stride=2, ceil_mode=True) for _ in range(4)]
    return RPNVGG16(vgg16_body(pools, width=width, batch_norm=norm), head)


@final
class RPNVGG16(Headed):
    """VGG-16's convolutions at 1/16 of the input, and a head; see `rpn_vgg16`."""

    usual_stages: ClassVar[tuple[str, ...]] = CROSS_CONNECTED
    """Cross-connected paper, section 3."""
    body_end: ClassVar[str] = "conv5_3"
    gives: ClassVar[str] = "anchors"
    dense_counterpart = staticmethod(pspnet_on_the_body_of)


def vgg16(
    channels: int,
    *,
    head: Part[Head] = part(VGGClassifier),
    width: Width = 64,
    batch_norm: bool = False,
    bn_momentum: Momentum = 0.1,
    bn_eps: Epsilon = 1e-5,
) -> VGG16:
    """Build a VGG-16 for image-level labels: (B, 3, H, W) -> (B, channels), H and W at least 32.

    Size: 134,670,244 parameters for 100 channels, 134,268,738 for 2.
    Source: Simonyan and Zisserman (ICLR 2015), configuration D; Gao et al., NDDR-CNN (CVPR 2019), section 5.2.

    Args:
        channels: Of the output: 100 for ages, 2 for gender or species.
        head: `VGGClassifier`, VGG's own, or `PooledLinear`, a linear layer on the mean of pool5.
        width: Channels of conv1; only 64, VGG-16's, takes its weights (`load_vgg16`, `load_pretrained`).
        batch_norm: Whether one follows every convolution, whose biases it replaces.
        bn_momentum: Of every batch norm.
        bn_eps: Of every batch norm.
    """
    norm = (bn_momentum, bn_eps) if batch_norm else None
    top = normed(head, norm)(FeatureShape.image(block_widths(width)[-1], stride=32), channels)
    return VGG16(vgg16_body([nn.MaxPool2d(2, stride=2) for _ in range(5)], width=width, batch_norm=norm), top)


@final
class VGG16(Headed):
    """VGG-16's convolutions at 1/32 of the input, and a head for whole images; see `vgg16`."""

    usual_stages: ClassVar[tuple[str, ...]] = ("pool1", "pool2", "pool3", "pool4", "pool5")
    """NDDR-CNN, section 5.2."""
    body_end: ClassVar[str] = "conv5_3"
    gives: ClassVar[str] = "numbers"
    dense_counterpart = staticmethod(pspnet_on_the_body_of)
