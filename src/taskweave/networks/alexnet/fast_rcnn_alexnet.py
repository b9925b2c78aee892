"""Fast R-CNN on AlexNet: the network of the cross-stitch paper's detection and attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, final

from torch import Tensor, nn

from taskweave.heads.layers import Count, FullyConnected, Rate
from taskweave.heads.outputs import RoiAttributes, RoiOutputs
from taskweave.heads.roi import RoiBoxes, RoiPooling, RoiScores
from taskweave.networks.alexnet.alexnet_body import alexnet_body, last_width
from taskweave.networks.alexnet.fcn32s_alexnet import fcn32s_alexnet
from taskweave.networks.vgg.vgg16_body import body_stages
from taskweave.parts import Part, part
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Memory, Stage, Step, Stream

_POOLED = 6

RoiInput = tuple[Tensor, Sequence[Tensor]]
"""Images (B, 3, H, W) and, for each, its regions (r_i, 4) as x1, y1, x2, y2 in pixels."""


def fast_rcnn_alexnet(
    channels: int,
    *,
    boxes: bool = True,
    body: Literal["caffenet", "torchvision"] = "caffenet",
    hidden: Count = 4096,
    dropout: Rate = 0.5,
) -> FastRCNNAlexNet:
    """A new Fast R-CNN on AlexNet; (images (B, 3, H, W), regions per image) -> RoiOutputs or RoiAttributes.

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
    head = RoiBoxes(hidden, channels) if boxes else RoiScores(hidden, channels)
    features = alexnet_body(body, pools=(1, 2))
    inside = last_width(body) * _POOLED**2
    return FastRCNNAlexNet(
        features,
        FullyConnected(inside, hidden, dropout=dropout),
        FullyConnected(hidden, hidden, dropout=dropout),
        head,
    )


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
