"""VGG-16 for whole images: the network of NDDR-CNN's age and gender."""

from __future__ import annotations

from typing import ClassVar, final

from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.heads.head import Head
from taskweave.heads.layers import Epsilon, Momentum, Norm
from taskweave.heads.pooled import VGGClassifier
from taskweave.networks.headed import headed_stream, normed
from taskweave.networks.vgg.pspnet_vgg16 import pspnet_on_the_body_of
from taskweave.networks.vgg.vgg16_body import Width, block_widths, body_stages, vgg16_body
from taskweave.parts import Part, part
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Stream


def vgg16(
    channels: int,
    *,
    head: Part[Head] = part(VGGClassifier),
    width: Width = 64,
    batch_norm: bool = False,
    bn_momentum: Momentum = 0.1,
    bn_eps: Epsilon = 1e-5,
) -> VGG16:
    """A new VGG-16 for whole images; (B, 3, H, W) -> (B, channels), H and W at least 32.

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
    return VGG16(top, width=width, batch_norm=norm)


@final
class VGG16(nn.Module):
    """VGG-16's convolutions at 1/32 of the input, and a head for whole images; see `vgg16`."""

    usual_stages: ClassVar[tuple[str, ...]] = ("pool1", "pool2", "pool3", "pool4", "pool5")
    """NDDR-CNN, section 5.2."""
    body_end: ClassVar[str] = "conv5_3"
    gives: ClassVar[str] = "numbers"

    dense_counterpart = staticmethod(pspnet_on_the_body_of)

    def __init__(self, head: nn.Module, *, width: int = 64, batch_norm: Norm | None = None) -> None:
        super().__init__()
        self.features = vgg16_body([nn.MaxPool2d(2, stride=2) for _ in range(5)], width=width, batch_norm=batch_norm)
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(x))
        return logits


@as_stream.register
def _(net: VGG16) -> Stream:
    """Stages conv1_1 ... conv5_3 (each with its ReLU) and pool1 ... pool5 in order; VGG's own head adds fc6 and fc7."""
    return headed_stream(net, body_stages(net.features))
