"""FCN-32s on AlexNet: the network of the cross-stitch paper's dense tasks."""

from __future__ import annotations

from typing import ClassVar, Literal, final

from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.heads.dense import FCN32s
from taskweave.heads.layers import ConvReLU, Count, Rate
from taskweave.networks.alexnet.alexnet_body import alexnet_body, last_width
from taskweave.networks.headed import headed_stream
from taskweave.networks.vgg.vgg16_body import body_stages
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Stream


def fcn32s_alexnet(
    channels: int, *, body: Literal["caffenet", "torchvision"] = "caffenet", hidden: Count = 4096, dropout: Rate = 0.5
) -> FCN32sAlexNet:
    """A new FCN-32s on AlexNet; (B, 3, H, W) -> (B, channels, ceil(H/32), ceil(W/32)) for any H and W.

    Deviation: FCN-32s pads the picture by 100 and crops after upsampling. Here every layer keeps its grid ("same"
    padding; pools padded by 1): a fifth of the work on small pictures. The centre of output cell i is pixel 32 i from
    the pools, and 16 more from fc6, whose even 6x6 kernel leans to the right: 32 i + 16, against 32 i + 15.5 for cells
    that cover the picture evenly. So tasks may simply resize the output to the picture, bilinearly.
    Weights: `load_alexnet` or `load_pretrained` (torchvision's body).
    Source: Misra et al., Cross-stitch networks (CVPR 2016), section 5; Long et al., FCN (CVPR 2015); Jia et al., Caffe
    (2014), CaffeNet.

    Args:
        channels: Of the output, e.g. classes.
        body: "caffenet" is the paper's: 96-256-384-384-256 channels, conv2, conv4, conv5 in two groups, local response
            normalisation after pool1 and pool2 (run at the start of conv2 and conv3, so that units meet at the pooled
            feature). "torchvision" has torchvision's 64-192-384-256-256 without either, and takes its weights.
        hidden: Channels of fc6 and fc7.
        dropout: After fc6 and after fc7.

    Raises:
        ValueError: There is no such body.
    """
    head = FCN32s(FeatureShape.image(last_width(body), stride=32), channels, hidden=hidden, dropout=dropout)
    return FCN32sAlexNet(alexnet_body(body), head)


@final
class FCN32sAlexNet(nn.Module):
    """AlexNet's convolutions on a grid of 1/32, and a head; see `fcn32s_alexnet`."""

    usual_stages: ClassVar[tuple[str, ...]] = ("pool1", "pool2", "pool5", "fc6", "fc7")
    """Cross-stitch paper, figure 4."""
    body_end: ClassVar[str] = "fc7"
    gives: ClassVar[str] = "map"

    def __init__(self, features: nn.Sequential, head: FCN32s) -> None:
        super().__init__()
        self.features = features
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(x))
        return scores

    @property
    def fully_connected(self) -> tuple[nn.Conv2d, nn.Conv2d]:
        """fc6 and fc7, which `load_alexnet` fills from linear layers."""
        first, second = (module.conv for module in self.head.modules() if isinstance(module, ConvReLU))
        return first, second


@as_stream.register
def _(net: FCN32sAlexNet) -> Stream:
    """Stages conv1, pool1, conv2, pool2, conv3, conv4, conv5, pool5, fc6, fc7; the last layer is `score`."""
    return headed_stream(net, body_stages(net.features))
