"""Names for networks whose layers are numbers: VGG and AlexNet, in either library."""

from __future__ import annotations

from torch import nn


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
