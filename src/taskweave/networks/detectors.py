"""torchvision's detectors on a ResNet with a pyramid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le, Lt
from torch import nn

from taskweave.heads.layers import Count
from taskweave.parts import Part, states

Side = Annotated[int, Ge(16)]
STAGES = ("stem", "layer1", "layer2", "layer3", "layer4")


def _no_counterpart(options: Mapping[str, Any]) -> Part[nn.Module]:
    raise ValueError(
        "start {use: scenes} has no dense counterpart of a torchvision_detector; start from scratch or the library"
    )


@states(usual_stages=STAGES, body_end=STAGES[-1], gives="boxes", dense_counterpart=_no_counterpart)
def torchvision_detector(
    channels: int,
    *,
    detector: Literal["faster_rcnn", "retinanet"] = "faster_rcnn",
    body: Literal["resnet18", "resnet34", "resnet50", "resnet101"] = "resnet18",
    batch_norm: bool = True,
    min_size: Side = 800,
    max_size: Side = 1333,
    nms: Annotated[float, Ge(0), Le(1)] = 0.5,
    score: Annotated[float, Ge(0), Lt(1)] = 0.05,
    detections: Count = 100,
) -> nn.Module:
    """torchvision's Faster R-CNN or RetinaNet on a ResNet with a pyramid; images -> boxes, in training losses.

    It normalises, resizes and suppresses by itself.

    Args:
        channels: Classes, background included.
        detector: Which of the two.
        body: Name of the ResNet.
        batch_norm: Whether batch norms are trained; else frozen, as torchvision has them for pre-trained bodies.
        min_size: Images are resized until their shorter side is so long, or their longer one `max_size`.
        max_size: The longest side of an image.
        nms: Of two boxes of a class that overlap more (IoU), the one with the lower score goes.
        score: Only boxes with a higher score count as detections.
        detections: The most per image.
    """
    from torchvision.models.detection import FasterRCNN, RetinaNet
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
    from torchvision.ops import FrozenBatchNorm2d
    from torchvision.ops.feature_pyramid_network import LastLevelP6P7

    twice = detector == "faster_rcnn"
    backbone = resnet_fpn_backbone(
        backbone_name=body,
        weights=None,
        norm_layer=nn.BatchNorm2d if batch_norm else FrozenBatchNorm2d,
        trainable_layers=5,
        returned_layers=None if twice else [2, 3, 4],
        extra_blocks=None if twice else LastLevelP6P7(256, 256),
    )
    own = {"nms_thresh": nms, "score_thresh": score, "detections_per_img": detections}
    rule = {f"box_{name}": value for name, value in own.items()} if twice else own
    build = FasterRCNN if twice else RetinaNet
    net: nn.Module = build(backbone, num_classes=channels, min_size=min_size, max_size=max_size, **rule)
    return net
