"""Fast R-CNN on AlexNet: the network of the cross-stitch paper's detection and attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, final

from torch import Tensor, nn

from taskweave.heads.outputs import RoiAttributes, RoiOutputs
from taskweave.heads.roi import FullyConnected, RoiBoxes, RoiPooling, RoiScores
from taskweave.networks.alexnet.alexnet_body import alexnet_body, last_width
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Memory, Stage, Step, Stream

_POOLED = 6

RoiInput = tuple[Tensor, Sequence[Tensor]]
"""Images (B, 3, H, W) and, for each, its regions (r_i, 4) as x1, y1, x2, y2 in pixels."""


def fast_rcnn_alexnet(
    classes: int | None = None,
    *,
    attributes: int | None = None,
    body: Literal["caffenet", "torchvision"] = "caffenet",
    hidden: int = 4096,
    dropout: float = 0.5,
) -> FastRCNNAlexNet:
    """A fresh Fast R-CNN on AlexNet; (images (B, 3, H, W), regions per image) -> RoiOutputs or RoiAttributes.

    Give one of the two:
    classes: detects; without background, 20 for VOC (21-way scores, a box for each).
    attributes: says attributes of the regions, 64 for aPascal (scores before the sigmoid).

    body: "caffenet" (the paper's) or "torchvision", whose weights `load_alexnet` and `load_pretrained` take; see
        `fcn32s_alexnet`.
    hidden: channels of fc6 and fc7.
    Source: Misra et al., Cross-stitch networks, section 6; Girshick, Fast R-CNN (ICCV 2015), the model S.
    Raises ValueError unless exactly one of classes and attributes is given.
    """
    if (classes is None) == (attributes is None):
        raise ValueError(
            f"give either classes, for a detector, or attributes, got classes={classes}, attributes={attributes}; "
            "for both build two networks, and share or connect them"
        )
    head = RoiBoxes(hidden, classes) if classes is not None else RoiScores(hidden, attributes or 0)
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

    places: ClassVar[tuple[str, ...]] = ("pool1", "pool2", "pool5", "fc6", "fc7")
    """Where units go unless told otherwise (cross-stitch paper, figure 4)."""

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
    stages: dict[str, Stage] = {name: (f"features.{name}",) for name, _ in net.features.named_children()}
    stages |= {"pool5": Step(_pool_regions, ("pool5",)), "fc6": ("fc6",), "fc7": ("fc7",)}
    last = ("head.logits", "head.deltas") if isinstance(net.head, RoiBoxes) else ("head.logits",)
    return Stream(net, stages, enter=_read, exit=_say, head=last)
