"""FCN-32s on AlexNet: the network of the cross-stitch paper's dense tasks."""

from __future__ import annotations

from typing import ClassVar, Literal, final

from torch import Tensor, nn

from taskweave.heads.convolution import ConvReLU
from taskweave.heads.fcn import FCN32s
from taskweave.networks.alexnet.alexnet_body import alexnet_body, last_width
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Memory, Stage, Stream


def fcn32s_alexnet(
    channels: int, *, body: Literal["caffenet", "torchvision"] = "caffenet", hidden: int = 4096, dropout: float = 0.5
) -> FCN32sAlexNet:
    """A fresh FCN-32s on AlexNet; (B, 3, H, W) -> (B, channels, ceil(H/32), ceil(W/32)) for any H and W.

    channels: of the output, e.g. classes.
    body: "caffenet" is the paper's: 96-256-384-384-256 channels, conv2, conv4, conv5 in two groups, local response
        normalisation after pool1 and pool2 (run at the start of conv2 and conv3, so that units meet at the pooled
        feature). "torchvision" has torchvision's 64-192-384-256-256 without either, and takes its weights.
    hidden: channels of fc6 and fc7.

    Deviation: FCN-32s pads the picture by 100 and crops after upsampling. Here every layer keeps its grid ("same"
    padding; pools padded by 1): a fifth of the work on small pictures. The centre of output cell i is pixel 32 i from
    the pools, and 16 more from fc6, whose even 6x6 kernel leans to the right: 32 i + 16, against 32 i + 15.5 for cells
    that cover the picture evenly. So tasks may simply resize the output to the picture, bilinearly.
    Weights: `load_alexnet` or `load_pretrained` (torchvision's body).
    Source: Misra et al., Cross-stitch networks (CVPR 2016), section 5; Long et al., FCN (CVPR 2015); Jia et al., Caffe
    (2014), CaffeNet.
    """
    head = FCN32s(last_width(body), channels, hidden=hidden, dropout=dropout)
    return FCN32sAlexNet(alexnet_body(body), head)


@final
class FCN32sAlexNet(nn.Module):
    """AlexNet's convolutions on a grid of 1/32, and a head; see `fcn32s_alexnet`."""

    places: ClassVar[tuple[str, ...]] = ("pool1", "pool2", "pool5", "fc6", "fc7")
    """Where units go unless told otherwise (cross-stitch paper, figure 4)."""

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


def _score(net: nn.Module, memory: Memory) -> Tensor:
    scores: Tensor = net.get_submodule("head.score")(memory["fc7"])
    return scores


@as_stream.register
def _(net: FCN32sAlexNet) -> Stream:
    """Stages conv1, pool1, conv2, pool2, conv3, conv4, conv5, pool5, fc6, fc7; the last layer is `score`."""
    stages: dict[str, Stage] = {name: (f"features.{name}",) for name, _ in net.features.named_children()}
    stages |= {"fc6": ("head.fc6",), "fc7": ("head.fc7",)}
    return Stream(net, stages, exit=_score, head=("head.score",))
