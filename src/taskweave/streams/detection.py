"""The streams of torchvision's detectors: the body's stages, then pyramid, heads and boxes in the exit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN
from torchvision.models.detection.retinanet import RetinaNet

from taskweave.streams.stages import Body, cut_body
from taskweave.streams.stream import Memory, Stream

Targets = Sequence[dict[str, Tensor]]
Batch = Sequence[Tensor] | Tensor | tuple[Sequence[Tensor], Targets | None]
"""Images (each (3, H, W) in [0, 1], not normalised: the detector does so), or (images, targets)."""


def as_rcnn(net: GeneralizedRCNN) -> Stream:
    """Faster R-CNN (Mask and Keypoint R-CNN too) on a body with a pyramid: stem, layer1 ... layer4.

    Input: a list of images, a batch (B, 3, H, W), or (images, targets); output: the detections, in training the losses.
    """
    body = _body(net)
    head = _present(net, "rpn.head.cls_logits", "rpn.head.bbox_pred", "roi_heads.box_predictor")
    head += _present(net, "roi_heads.mask_predictor", "roi_heads.keypoint_predictor")
    return Stream(net, body.stages, enter=read_batch, exit=DetectTwice(_pyramid(body)), head=head)


def as_retinanet(net: RetinaNet) -> Stream:
    """RetinaNet on a body with a pyramid: stem, layer1 ... layer4. Input and output as Faster R-CNN's."""
    body = _body(net)
    head = _present(net, "head.classification_head.cls_logits", "head.regression_head.bbox_reg")
    return Stream(net, body.stages, enter=read_batch, exit=DetectOnce(_pyramid(body)), head=head)


def _body(net: GeneralizedRCNN | RetinaNet) -> Body:
    if not isinstance(net.backbone, BackboneWithFPN):
        raise TypeError(
            f"{type(net).__name__} on a {type(net.backbone).__name__}: stages are known for bodies with a pyramid "
            "(BackboneWithFPN); write Stream(net, stages={...}, enter=..., exit=...) for others"
        )
    return cut_body(net.backbone.body, "backbone.body")


def _present(net: nn.Module, *paths: str) -> list[str]:
    """Those of the paths that the network has: heads may be the user's own."""
    known = {name for name, _ in net.named_modules()}
    return [path for path in paths if path in known]


def _pyramid(body: Body) -> tuple[tuple[str, str], ...]:
    return tuple(body.outputs.items())


def read_batch(net: nn.Module, batch: Batch, memory: Memory) -> Tensor:
    """Normalise, resize and pad the images as the detector does, and leave sizes and targets in memory.

    Targets are needed by the exit only: a batch without this task's labels may pass through the stages.

    Raises:
        ValueError: In training mode, a box has no width or height.
    """
    images, targets = batch if isinstance(batch, tuple) else (batch, None)
    memory["original_sizes"] = [(image.shape[-2], image.shape[-1]) for image in images]
    memory["images"], memory["targets"] = net.get_submodule("transform")(images, targets)
    if net.training and targets is not None:
        _check_boxes(memory["targets"])
    x: Tensor = memory["images"].tensors
    return x


def _check_boxes(targets: Targets) -> None:
    for index, target in enumerate(targets):
        boxes = target["boxes"]
        if bool((boxes[:, 2:] <= boxes[:, :2]).any()):
            raise ValueError(
                f"target {index} has a box without width or height; boxes are (x1, y1, x2, y2) with x1 < x2, y1 < y2"
            )


def _check_targets(net: nn.Module, targets: Targets | None) -> None:
    if net.training and targets is None:
        raise ValueError(f"{type(net).__name__} in training needs (images, targets), got images only")


def _features(net: nn.Module, pyramid: tuple[tuple[str, str], ...], memory: Memory) -> OrderedDict[str, Tensor]:
    features: OrderedDict[str, Tensor] = net.get_submodule("backbone.fpn")(
        OrderedDict((level, memory[stage]) for level, stage in pyramid)
    )
    return features


@final
@dataclass(frozen=True)
class DetectTwice:
    """The exit of a two-stage detector. pyramid: (level, stage that it reads)."""

    pyramid: tuple[tuple[str, str], ...]

    def __call__(self, net: nn.Module, memory: Memory) -> Any:
        assert isinstance(net, GeneralizedRCNN)
        images, targets = memory["images"], memory["targets"]
        _check_targets(net, targets)
        features = _features(net, self.pyramid, memory)
        proposals, proposal_losses = net.rpn(images, features, targets)
        detections, box_losses = net.roi_heads(features, proposals, images.image_sizes, targets)
        if net.training:
            return {**box_losses, **proposal_losses}
        return net.transform.postprocess(detections, images.image_sizes, memory["original_sizes"])


@final
@dataclass(frozen=True)
class DetectOnce:
    """The exit of a one-stage detector. pyramid: (level, stage that it reads)."""

    pyramid: tuple[tuple[str, str], ...]

    def __call__(self, net: nn.Module, memory: Memory) -> Any:
        assert isinstance(net, RetinaNet)
        _check_targets(net, memory["targets"])
        images = memory["images"]
        features = list(_features(net, self.pyramid, memory).values())
        outputs = net.head(features)
        anchors = net.anchor_generator(images, features)
        if net.training:
            return net.compute_loss(memory["targets"], outputs, anchors)
        cells = [feature.shape[-2] * feature.shape[-1] for feature in features]
        per_cell = outputs["cls_logits"].shape[1] // sum(cells)
        counts = [count * per_cell for count in cells]
        by_level = {name: list(torch.split(output, counts, dim=1)) for name, output in outputs.items()}
        anchors_by_level = [list(torch.split(boxes, counts)) for boxes in anchors]
        detections = net.postprocess_detections(by_level, anchors_by_level, images.image_sizes)
        return net.transform.postprocess(detections, images.image_sizes, memory["original_sizes"])


@final
@dataclass(frozen=True)
class RawHeads:
    """An exit that stops at what the convolutions give, before anchors, box choice and losses: for export and compilers.

    Faster R-CNN: {"objectness": [...], "box_deltas": [...]}, a tensor per pyramid level; RetinaNet: its head's dict.
    Put it in the place of a stream's exit: ``stream.exit = RawHeads(stream.exit.pyramid)``.
    """

    pyramid: tuple[tuple[str, str], ...]

    def __call__(self, net: nn.Module, memory: Memory) -> Any:
        features = list(_features(net, self.pyramid, memory).values())
        if isinstance(net, RetinaNet):
            return net.head(features)
        objectness, deltas = net.get_submodule("rpn.head")(features)
        return {"objectness": objectness, "box_deltas": deltas}
