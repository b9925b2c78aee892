"""DeepLab on VGG-16: the network of NDDR-CNN's dense tasks, and of most of the field before ResNet."""

from __future__ import annotations

from typing import ClassVar, final

from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.heads.dense import LargeFOV
from taskweave.heads.head import Head
from taskweave.heads.layers import Epsilon, Momentum, Norm
from taskweave.networks.headed import headed_stream, normed
from taskweave.networks.vgg.vgg16_body import block_widths, body_stages, vgg16_body
from taskweave.parts import Part, part
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Stream


def deeplab_vgg16(
    channels: int,
    *,
    head: Part[Head] = part(LargeFOV),
    batch_norm: bool = True,
    bn_momentum: Momentum = 0.05,
    bn_eps: Epsilon = 1e-3,
) -> DeepLabVGG16:
    """A new DeepLab on VGG-16; (B, 3, H, W) -> (B, channels, ~H/8, ~W/8), any H and W.

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
    return DeepLabVGG16(top, batch_norm=norm)


@final
class DeepLabVGG16(nn.Module):
    """VGG-16's convolutions at 1/8 of the input, and a head; see `deeplab_vgg16`."""

    usual_stages: ClassVar[tuple[str, ...]] = ("pool1", "pool2", "pool3", "pool4", "pool5")
    """NDDR-CNN, section 3.4."""
    body_end: ClassVar[str] = "pool5"
    gives: ClassVar[str] = "map"

    def __init__(self, head: nn.Module, *, batch_norm: Norm | None = None) -> None:
        super().__init__()
        self.features = vgg16_body([_pool(block) for block in range(1, 6)], last_dilation=2, batch_norm=batch_norm)
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(x))
        return logits


def _pool(block: int) -> nn.Module:
    pool = nn.MaxPool2d(3, stride=2 if block < 4 else 1, padding=1)
    if block < 5:
        return pool
    return nn.Sequential(pool, nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False))


@as_stream.register
def _(net: DeepLabVGG16) -> Stream:
    """Stages conv1_1 ... conv5_3 (each with its ReLU) and pool1 ... pool5 in order; LargeFOV adds fc6 and fc7."""
    return headed_stream(net, body_stages(net.features))
