"""Networks on AlexNet: FCN-32s for dense tasks and Fast R-CNN, those of the cross-stitch paper."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, final

import torch
from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.heads.dense import FCN32s
from taskweave.heads.layers import ConvReLU, Count, FullyConnected, Rate, RoiAttributes, RoiOutputs
from taskweave.heads.pooled import RoiBoxes, RoiPooling, RoiScores
from taskweave.networks.headed import Headed, body_stages
from taskweave.networks.weights import Weights, check_fit, download, load_pretrained, state_of
from taskweave.parts import Part, part
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Memory, Stage, Step, Stream

Kind = Literal["caffenet", "torchvision"]
_BODIES = {
    "caffenet": ((96, 256, 384, 384, 256), (1, 2, 1, 2, 2)),
    "torchvision": ((64, 192, 384, 256, 256), (1, 1, 1, 1, 1)),
}
"""Channels and groups of conv1 ... conv5."""
_WIDTH = 256
"""Channels of conv5 in both."""


def alexnet_body(kind: Kind, *, pools: tuple[int, ...] = (1, 2, 5)) -> nn.Sequential:
    """conv1, pool1, conv2, pool2, conv3, conv4, conv5, pool5, each convolution with its ReLU; every layer keeps its grid.

    Cell i of conv3 ... conv5 is centred on pixel 16 i, as in Caffe's Fast R-CNN.

    Args:
        kind: "caffenet" has groups and normalises before conv2 and conv3 what was pooled, so that units meet at the pooled
            feature; "torchvision" has neither.
        pools: After which convolutions there is one.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels = 3
    for i, (width, groups, kernel) in enumerate(zip(*_BODIES[kind], (11, 5, 3, 3, 3), strict=True), 1):
        conv = ConvReLU(channels, width, kernel_size=kernel, stride=4 if i == 1 else 1, groups=groups)
        layers[f"conv{i}"] = conv
        if kind == "caffenet" and i in (2, 3):
            norm = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)
            layers[f"conv{i}"] = nn.Sequential(OrderedDict(norm=norm, conv=conv))
        if i in pools:
            layers[f"pool{i}"] = nn.MaxPool2d(3, stride=2, padding=1)
        channels = width
    return nn.Sequential(layers)


def _check_body(kind: str) -> None:
    if kind not in _BODIES:
        raise ValueError(f"body is 'caffenet' or 'torchvision', got {kind!r}")


def fcn32s_alexnet(channels: int, *, body: Kind = "caffenet", hidden: Count = 4096, dropout: Rate = 0.5) -> FCN32sAlexNet:
    """Build an FCN-32s on AlexNet: (B, 3, H, W) -> (B, channels, ceil(H/32), ceil(W/32)) for any H and W.

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
    _check_body(body)
    head = FCN32s(FeatureShape.image(_WIDTH, stride=32), channels, hidden=hidden, dropout=dropout)
    return FCN32sAlexNet(alexnet_body(body), head)


@final
class FCN32sAlexNet(Headed):
    """AlexNet's convolutions on a grid of 1/32, and a head; see `fcn32s_alexnet`."""

    usual_stages: ClassVar[tuple[str, ...]] = ("pool1", "pool2", "pool5", "fc6", "fc7")
    """Cross-stitch paper, figure 4."""
    body_end: ClassVar[str] = "fc7"
    gives: ClassVar[str] = "map"

    @property
    def fully_connected(self) -> tuple[nn.Conv2d, nn.Conv2d]:
        """fc6 and fc7, which `load_alexnet` fills from linear layers."""
        first, second = (module.conv for module in self.head.modules() if isinstance(module, ConvReLU))
        return first, second


_POOLED = 6

RoiInput = tuple[Tensor, Sequence[Tensor]]
"""Images (B, 3, H, W) and, for each, its regions (r_i, 4) as x1, y1, x2, y2 in pixels."""


def fast_rcnn_alexnet(
    channels: int,
    *,
    boxes: bool = True,
    body: Kind = "caffenet",
    hidden: Count = 4096,
    dropout: Rate = 0.5,
) -> FastRCNNAlexNet:
    """Build a Fast R-CNN on AlexNet: (images (B, 3, H, W), regions per image) -> RoiOutputs or RoiAttributes.

    Source: Misra et al., Cross-stitch networks, section 6; Girshick, Fast R-CNN (ICCV 2015), the model S.

    Args:
        channels: With `boxes` the classes, background included: 21 for VOC. Else the attributes: 64 for aPascal.
        boxes: Whether it detects, with class scores and a box per class of every region; else it scores attributes of
            the regions, before the sigmoid.
        body: "caffenet" (the paper's) or "torchvision", whose weights `load_alexnet` and `load_pretrained` take; see
            `fcn32s_alexnet`.
        hidden: Channels of fc6 and fc7.
        dropout: After fc6 and after fc7.

    Raises:
        ValueError: There is no such body, no class beside background, or no attribute.
    """
    _check_body(body)
    head = RoiBoxes(hidden, channels) if boxes else RoiScores(hidden, channels)
    features = alexnet_body(body, pools=(1, 2))
    fc6 = FullyConnected(_WIDTH * _POOLED**2, hidden, dropout=dropout)
    return FastRCNNAlexNet(features, fc6, FullyConnected(hidden, hidden, dropout=dropout), head)


@final
class FastRCNNAlexNet(nn.Module):
    """AlexNet's convolutions at 1/16 of the input, pooled in regions, fc6, fc7 and a head; see `fast_rcnn_alexnet`."""

    usual_stages: ClassVar[tuple[str, ...]] = ("pool1", "pool2", "pool5", "fc6", "fc7")
    """Cross-stitch paper, figure 4."""
    body_end: ClassVar[str] = "fc7"
    gives: ClassVar[str] = "regions"
    reads_regions: ClassVar[bool] = True
    scores: ClassVar[tuple[str, ...]] = ("head.logits",)
    """The last layers that networks for boxes and for attributes have in common."""

    @staticmethod
    def dense_counterpart(options: Mapping[str, Any]) -> Part[nn.Module]:
        """An FCN-32s on the same body."""
        return part(fcn32s_alexnet, body=options["body"], hidden=options["hidden"])

    def __init__(
        self, features: nn.Sequential, fc6: FullyConnected, fc7: FullyConnected, head: RoiBoxes | RoiScores
    ) -> None:
        super().__init__()
        self.features = features
        self.pool5 = RoiPooling(_POOLED, stride=16)
        self.fc6 = fc6
        self.fc7 = fc7
        self.head = head

    def forward(self, image: Tensor, rois: Sequence[Tensor]) -> RoiOutputs | RoiAttributes:
        regions: Tensor = self.fc7(self.fc6(self.pool5(self.features(image), rois)))
        output: RoiOutputs | RoiAttributes = self.head(regions, rois)
        return output

    @property
    def fully_connected(self) -> tuple[nn.Linear, nn.Linear]:
        """The linear layers of fc6 and fc7, which `load_alexnet` fills."""
        return self.fc6.linear, self.fc7.linear


def _read(net: nn.Module, given: RoiInput, memory: Memory) -> Tensor:
    """Leave the regions in memory."""
    if not isinstance(given, tuple) or len(given) != 2:
        raise ValueError(
            f"{type(net).__name__} reads (images, regions per image), got a {type(given).__name__}; "
            "a task whose network_input gives both feeds it (RoI tasks), or pass the pair"
        )
    image, rois = given
    memory["rois"] = tuple(rois)
    return image


def _pool_regions(net: nn.Module, x: Tensor, memory: Memory) -> Tensor:
    pooled: Tensor = net.get_submodule("pool5")(x, memory["rois"])
    return pooled


def _say(net: nn.Module, memory: Memory) -> RoiOutputs | RoiAttributes:
    output: RoiOutputs | RoiAttributes = net.get_submodule("head")(memory["fc7"], memory["rois"])
    return output


@as_stream.register
def _(net: FastRCNNAlexNet) -> Stream:
    """Stages conv1, pool1, conv2, pool2, conv3, conv4, conv5, pool5, fc6, fc7: from pool5 on a row per region.

    Features are (B, C, h, w) up to conv5, (R, C, 6, 6) at pool5, (R, hidden, 1, 1) at fc6 and fc7.
    """
    stages: dict[str, Stage] = body_stages(net.features)
    stages |= {"pool5": Step(_pool_regions, ("pool5",)), "fc6": ("fc6",), "fc7": ("fc7",)}
    last = ("head.logits", "head.deltas") if isinstance(net.head, RoiBoxes) else ("head.logits",)
    return Stream(net, stages, enter=_read, exit=_say, head=last)


# torchvision's names of conv1 ... conv5 and fc6, fc7
_CONVOLUTIONS = ("features.0", "features.3", "features.6", "features.8", "features.10")
_FULLY_CONNECTED = ("classifier.1", "classifier.4")


def load_alexnet(
    net: FCN32sAlexNet | FastRCNNAlexNet, source: Weights, *, fc: Literal["loaded", "fresh"] = "loaded"
) -> None:
    """Load torchvision's AlexNet (or its state_dict) into a network with torchvision's body.

    Args:
        net: The network.
        source: The weights.
        fc: "loaded" takes fc6 and fc7 too, for `fcn32s_alexnet` read as 6x6 and 1x1 convolutions; "fresh" leaves ours.

    Raises:
        ValueError: These are weights of another network; what is missing, unexpected or differs is named, nothing copied.
    """
    if fc not in ("loaded", "fresh"):
        raise ValueError(f"fc is 'loaded' or 'fresh', got {fc!r}")
    blocks = [module.conv for module in net.features.modules() if isinstance(module, ConvReLU)]
    layers: dict[str, nn.Conv2d | nn.Linear] = dict(zip(_CONVOLUTIONS, blocks, strict=True))
    if fc == "loaded":
        layers |= zip(_FULLY_CONNECTED, net.fully_connected, strict=True)
    expected: dict[str, Tensor] = {}
    for name, layer in layers.items():
        assert layer.bias is not None
        expected[f"{name}.weight"] = layer.weight.flatten(1) if name in _FULLY_CONNECTED else layer.weight
        expected[f"{name}.bias"] = layer.bias
    state = state_of(source)
    ignored = ("classifier.6.",) if fc == "loaded" else ("classifier.",)
    check_fit("AlexNet", expected, {name: value for name, value in state.items() if not name.startswith(ignored)})
    with torch.no_grad():
        for name, layer in layers.items():
            assert layer.bias is not None
            layer.weight.copy_(state[f"{name}.weight"].reshape(layer.weight.shape))
            layer.bias.copy_(state[f"{name}.bias"])


@load_pretrained.register
def _(net: FCN32sAlexNet | FastRCNNAlexNet) -> None:
    load_alexnet(net, download("torchvision's AlexNet", "torchvision.models", "alexnet", weights="DEFAULT"))
