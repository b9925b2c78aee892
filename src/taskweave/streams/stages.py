"""Stages of networks whose children run one after the other: VGG and AlexNet, whose layers are numbers, in either library,
and the bodies of torchvision's dense networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from torch import nn
from torchvision.models._utils import IntermediateLayerGetter


def cut_after_pools(features: nn.Sequential, path: str) -> dict[str, list[str]]:
    """{pool1: paths of the layers up to the first max pooling, pool2: ...}; layers after the last one belong to it."""
    stages: dict[str, list[str]] = {}
    layers: list[str] = []
    for name, layer in features.named_children():
        layers.append(f"{path}.{name}")
        if isinstance(layer, nn.MaxPool2d):
            stages[f"pool{len(stages) + 1}"] = layers
            layers = []
    if stages and layers:
        stages[list(stages)[-1]] += layers
    return stages


def cut_after_layers(features: nn.Sequential, path: str) -> dict[str, list[str]]:
    """{conv1: paths of a convolution and its ReLU, pool1: the pooling after it, conv2: ...}, numbered by convolution.

    The ReLU belongs to the convolution's stage: it works in place and would overwrite a feature remembered before it.
    """
    stages: dict[str, list[str]] = {}
    layers: list[str] = []
    count = 0
    for name, layer in features.named_children():
        layers.append(f"{path}.{name}")
        if isinstance(layer, nn.ReLU | nn.MaxPool2d):
            count += isinstance(layer, nn.ReLU)
            stages[f"conv{count}" if isinstance(layer, nn.ReLU) else f"pool{count}"] = layers
            layers = []
    return stages


def cut_classifier(classifier: nn.Module, path: str) -> tuple[dict[str, list[str]], list[str]]:
    """({fc6: paths up to the first ReLU, fc7: ...}, the paths of the rest). No stages where it is no Sequential."""
    if not isinstance(classifier, nn.Sequential):
        return {}, [path]
    stages: dict[str, list[str]] = {}
    layers: list[str] = []
    for name, layer in classifier.named_children():
        layers.append(f"{path}.{name}")
        if isinstance(layer, nn.ReLU):
            stages[f"fc{6 + len(stages)}"] = layers
            layers = []
    return stages, layers


def last_layer(net: nn.Module, path: str) -> list[str]:
    """The path of the last linear layer or convolution under `path`, as a list of at most one."""
    found = [
        f"{path}.{name}" if name else path
        for name, module in net.get_submodule(path).named_modules()
        if isinstance(module, nn.Linear | nn.Conv2d)
    ]
    return found[-1:]


@final
@dataclass(frozen=True)
class Body:
    """A body's stages, name -> paths as a Stream takes them; and its outputs, what it calls a feature -> the stage."""

    stages: dict[str, list[str]]
    outputs: dict[str, str]


def cut_body(body: nn.Module, path: str) -> Body:
    """A stage per child of a body; leading children that are single layers (ResNet: conv1 ... maxpool) make the stem.

    Raises:
        TypeError: The body is no IntermediateLayerGetter, which is what torchvision's own builders make.
    """
    if not isinstance(body, IntermediateLayerGetter):
        raise TypeError(
            f"the stages of a {type(body).__name__} as the body of a network are not known; "
            "torchvision's builders make an IntermediateLayerGetter. Write Stream(net, stages={...}, enter=..., exit=...)"
        )
    stages: dict[str, list[str]] = {}
    for name, child in body.named_children():
        single = not any(True for _ in child.children())
        stage = "stem" if single and set(stages) <= {"stem"} and name not in body.return_layers else name
        stages.setdefault(stage, []).append(f"{path}.{name}")
    outputs = {str(out): name for name in stages if (out := body.return_layers.get(name)) is not None}
    return Body(stages, outputs)
