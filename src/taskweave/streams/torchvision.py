"""The streams of torchvision's networks. Imported only when one of them is met."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.alexnet import AlexNet
from torchvision.models.resnet import ResNet
from torchvision.models.segmentation._utils import _SimpleSegmentationModel
from torchvision.models.vgg import VGG

from taskweave.streams.convert import as_stream
from taskweave.streams.detection import as_rcnn, as_retinanet
from taskweave.streams.stages import cut_after_layers, cut_after_pools, cut_body, cut_classifier, last_layer
from taskweave.streams.stream import Memory, Stage, Step, Stream

as_stream.register(as_rcnn)
as_stream.register(as_retinanet)


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


def _run(net: nn.Module, paths: tuple[str, ...], x: Tensor) -> Tensor:
    for path in paths:
        x = net.get_submodule(path)(x)
    return x


@final
@dataclass(frozen=True)
class Flatten:
    """A stage that pools, flattens and then runs layers."""

    layers: tuple[str, ...]

    def __call__(self, net: nn.Module, x: Tensor, memory: Memory) -> Tensor:
        return _run(net, self.layers, torch.flatten(net.get_submodule("avgpool")(x), 1))


@final
@dataclass(frozen=True)
class Classify:
    """The exit of a classifier: its last layers, after pooling and flattening unless a stage has done so."""

    stage: str
    layers: tuple[str, ...]
    pool: bool = True

    def __call__(self, net: nn.Module, memory: Memory) -> Tensor:
        x = memory[self.stage]
        return _run(net, self.layers, torch.flatten(net.get_submodule("avgpool")(x), 1) if self.pool else x)


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
    """The exit of a segmentation network. heads: (name of the output, path of the head, stage that it reads)."""

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
