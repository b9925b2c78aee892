"""The streams of torchvision's classifiers, segmenters and detectors. Imported only when one of them is met."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.alexnet import AlexNet
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.generalized_rcnn import GeneralizedRCNN
from torchvision.models.detection.retinanet import RetinaNet
from torchvision.models.resnet import ResNet
from torchvision.models.segmentation._utils import _SimpleSegmentationModel
from torchvision.models.vgg import VGG

from taskweave.streams.convert import as_stream
from taskweave.streams.stages import Body, cut_after_layers, cut_after_pools, cut_body, cut_classifier, last_layer
from taskweave.streams.stream import Memory, Stage, Step, Stream, run_layers


@as_stream.register
def _(net: ResNet) -> Stream:
    """stem, layer1 ... layer4."""
    stages = {"stem": ["conv1", "bn1", "relu", "maxpool"]} | {f"layer{i}": [f"layer{i}"] for i in (1, 2, 3, 4)}
    return Stream(net, stages, exit=Classify("layer4", ("fc",)), head=["fc"])


@as_stream.register
def _(net: AlexNet) -> Stream:
    """conv1, pool1, conv2, pool2, conv3, conv4, conv5, pool5, fc6, fc7; each with the ReLU after it."""
    return _classifying(net, cut_after_layers(net.features, "features"))


@as_stream.register
def _(net: VGG) -> Stream:
    """pool1 ... pool5, fc6, fc7; with and without batch norm."""
    return _classifying(net, cut_after_pools(net.features, "features"))


def _classifying(net: AlexNet | VGG, features: Mapping[str, Stage]) -> Stream:
    """Stages of the features, then of the classifier, whose first one pools and flattens before it."""
    layers, rest = cut_classifier(net.classifier, "classifier")
    stages: dict[str, Stage] = {**features, **layers}
    if layers:
        first = next(iter(layers))
        stages[first] = Step(Flatten(tuple(layers[first])), tuple(layers[first]))
    last = list(stages)[-1]
    end = Classify(last, tuple(rest), pool=not layers)
    return Stream(net, stages, exit=end, head=last_layer(net, "classifier"))


@final
@dataclass(frozen=True)
class Flatten:
    """A stage that pools, flattens and then runs layers."""

    layers: tuple[str, ...]

    def __call__(self, net: nn.Module, x: Tensor, memory: Memory) -> Tensor:
        return run_layers(net, self.layers, torch.flatten(net.get_submodule("avgpool")(x), 1))


@final
@dataclass(frozen=True)
class Classify:
    """The exit of a classifier: its last layers, after pooling and flattening unless a stage has done so."""

    stage: str
    layers: tuple[str, ...]
    pool: bool = True

    def __call__(self, net: nn.Module, memory: Memory) -> Tensor:
        x = memory[self.stage]
        return run_layers(net, self.layers, torch.flatten(net.get_submodule("avgpool")(x), 1) if self.pool else x)


@as_stream.register
def _(net: _SimpleSegmentationModel) -> Stream:
    """DeepLabV3 and FCN: the body's own children (ResNet: stem, layer1 ... layer4); {out, aux} as the network gives."""
    body = cut_body(net.backbone, "backbone")
    heads = {"out": "classifier"} | ({} if net.aux_classifier is None else {"aux": "aux_classifier"})
    end = Segment(tuple((name, head, body.outputs[name]) for name, head in heads.items()))
    last = [layer for head in heads.values() for layer in last_layer(net, head)]
    return Stream(net, body.stages, enter=note_size, exit=end, head=last)


def note_size(net: nn.Module, x: Tensor, memory: Memory) -> Tensor:
    """Leave the image's (height, width) in memory: the output is resized to it."""
    memory["size"] = x.shape[-2:]
    return x


@final
@dataclass(frozen=True)
class Segment:
    """The exit of a segmentation network.

    Args:
        heads: (name of the output, path of the head, stage that the head reads).
    """

    heads: tuple[tuple[str, str, str], ...]

    def __call__(self, net: nn.Module, memory: Memory) -> OrderedDict[str, Any]:
        return OrderedDict(
            (
                name,
                F.interpolate(
                    net.get_submodule(head)(memory[stage]), size=memory["size"], mode="bilinear", align_corners=False
                ),
            )
            for name, head, stage in self.heads
        )


Targets = Sequence[dict[str, Tensor]]
Batch = Sequence[Tensor] | Tensor | tuple[Sequence[Tensor], Targets | None]
"""Images (each (3, H, W) in [0, 1], not normalised: the detector does so), or (images, targets)."""


@as_stream.register
def as_rcnn(net: GeneralizedRCNN) -> Stream:
    """Faster R-CNN (Mask and Keypoint R-CNN too) on a body with a pyramid: stem, layer1 ... layer4.

    Input: a list of images, a batch (B, 3, H, W), or (images, targets); output: the detections, in training the losses.
    """
    body = _body(net)
    head = _present(net, "rpn.head.cls_logits", "rpn.head.bbox_pred", "roi_heads.box_predictor")
    head += _present(net, "roi_heads.mask_predictor", "roi_heads.keypoint_predictor")
    return Stream(net, body.stages, enter=read_batch, exit=DetectTwice(tuple(body.outputs.items())), head=head)


@as_stream.register
def as_retinanet(net: RetinaNet) -> Stream:
    """RetinaNet on a body with a pyramid: stem, layer1 ... layer4. Input and output as Faster R-CNN's."""
    body = _body(net)
    head = _present(net, "head.classification_head.cls_logits", "head.regression_head.bbox_reg")
    return Stream(net, body.stages, enter=read_batch, exit=DetectOnce(tuple(body.outputs.items())), head=head)


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


def read_batch(net: nn.Module, batch: Batch, memory: Memory) -> Tensor:
    """Normalise, resize and pad the images as the detector does, and leave sizes and targets in memory.

    Targets are needed by the exit only: a batch without this task's labels may pass through the stages.

    Raises:
        ValueError: In training mode, a box has no width or height.
    """
    images, targets = batch if isinstance(batch, tuple) else (batch, None)
    memory["original_sizes"] = [(image.shape[-2], image.shape[-1]) for image in images]
    memory["images"], memory["targets"] = net.get_submodule("transform")(images, targets)
    for index, target in enumerate(memory["targets"] if net.training and targets is not None else ()):
        boxes = target["boxes"]
        if bool((boxes[:, 2:] <= boxes[:, :2]).any()):
            raise ValueError(
                f"target {index} has a box without width or height; boxes are (x1, y1, x2, y2) with x1 < x2, y1 < y2"
            )
    x: Tensor = memory["images"].tensors
    return x


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
    """The exit of a two-stage detector.

    Args:
        pyramid: (level, stage that it reads).
    """

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
    """The exit of a one-stage detector.

    Args:
        pyramid: (level, stage that it reads).
    """

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
