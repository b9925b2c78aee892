"""Stages of networks whose children run one after the other: VGG and AlexNet, whose layers are numbers, in either library,
and the bodies of torchvision's dense networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from torch import nn
from torchvision.models._utils import IntermediateLayerGetter


def cut_after_pools(features: nn.Sequential, path: str) -> dict[str, list[str]]:
    """{pool1: paths of the layers up to the first max pooling, pool2: ...}; layers after the last one belong to it."""
    stages, rest = _cut(features, path, lambda layer, n: f"pool{n + 1}" if isinstance(layer, nn.MaxPool2d) else "")
    if stages:
        stages[list(stages)[-1]] += rest
    return stages


def cut_after_layers(features: nn.Sequential, path: str) -> dict[str, list[str]]:
    """{conv1: paths of a convolution and its ReLU, pool1: the pooling after it, conv2: ...}, numbered by convolution.

    The ReLU belongs to the convolution's stage: it works in place and would overwrite a feature remembered before it.
    """
    convolutions = 0

    def ends(layer: nn.Module, before: int) -> str:
        nonlocal convolutions
        convolutions += isinstance(layer, nn.ReLU)
        if isinstance(layer, nn.MaxPool2d):
            return f"pool{convolutions}"
        return f"conv{convolutions}" if isinstance(layer, nn.ReLU) else ""

    return _cut(features, path, ends)[0]


def cut_classifier(classifier: nn.Module, path: str) -> tuple[dict[str, list[str]], list[str]]:
    """({fc6: paths up to the first ReLU, fc7: ...}, the paths of the rest). No stages where it is no Sequential."""
    if not isinstance(classifier, nn.Sequential):
        return {}, [path]
    return _cut(classifier, path, lambda layer, n: f"fc{6 + n}" if isinstance(layer, nn.ReLU) else "")


def _cut(layers: nn.Sequential, path: str, ends: Callable[[nn.Module, int], str]) -> tuple[dict[str, list[str]], list[str]]:
    """Stages that end at each layer for which `ends(layer, number of stages before)` has a name; and the paths left."""
    stages: dict[str, list[str]] = {}
    paths: list[str] = []
    for name, layer in layers.named_children():
        paths.append(f"{path}.{name}")
        if stage := ends(layer, len(stages)):
            stages[stage], paths = paths, []
    return stages, paths


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
