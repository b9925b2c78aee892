"""ImageNet's VGG-16 into the networks made of it: batch norm on either side, fc6 and fc7 whole or decimated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from taskweave.heads.dense import ASPP, LargeFOV
from taskweave.heads.layers import ConvReLU
from taskweave.heads.pooled import VGGClassifier
from taskweave.networks.segnet.baselines import DenseSegNet
from taskweave.networks.segnet.mtan_segnet import STANSegNet
from taskweave.networks.segnet.segnet_vgg16 import SegNetVGG16
from taskweave.networks.vgg.networks import RPNVGG16, VGG16, DeepLabVGG16, PSPNetVGG16
from taskweave.networks.weights import (
    Layer,
    Weights,
    check_fit,
    download,
    load_pretrained,
    normed_layer,
    plain_layer,
    set_layer,
    state_of,
)

VGG16Network: TypeAlias = VGG16 | DeepLabVGG16 | RPNVGG16 | PSPNetVGG16 | SegNetVGG16 | STANSegNet | DenseSegNet

# where the 13 convolutions stand in `features` of torchvision's and timm's VGG-16
_PLAIN = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
_NORMED = (0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40)
_NORM = ("weight", "bias", "running_mean", "running_var")
# fc6 and fc7: torchvision's names (linear layers), then timm's (convolutions)
_FC = (("classifier.0", "classifier.3"), ("pre_logits.fc1", "pre_logits.fc2"))


def load_vgg16(net: VGG16Network, source: Weights, *, fc: Literal["fresh", "decimated", "loaded"] = "fresh") -> None:
    """Load torchvision's or timm's VGG-16 (or its state_dict), with or without batch norm, into `net`.

    Every layer computes in eval mode what it computed in the source, whichever side has batch norm; see `set_layer`.

    Args:
        net: The network.
        source: The weights.
        fc: "fresh" leaves fc6 and fc7 as they are; "decimated", for DeepLab, takes every third row and column of fc6's 7x7
            filter and every fourth of its 4096 outputs (for 1024), likewise fc7, the same for all branches of ASPP;
            "loaded", for `vgg16` with its own grid and hidden, takes them whole.

    Raises:
        ValueError: These are weights of another network; what is missing, unexpected or differs is named, nothing copied.
    """
    if fc not in ("fresh", "decimated", "loaded"):
        raise ValueError(f"fc is 'fresh', 'decimated' or 'loaded', got {fc!r}")
    state = state_of(source)
    layers = _body(net, state)
    tops = _decimated(net, state) if fc == "decimated" else []
    wholes = _whole(net, state) if fc == "loaded" else []
    blocks = [block for block in net.features if isinstance(block, ConvReLU)]
    for block, layer in [*zip(blocks, layers, strict=True), *tops]:
        set_layer(block.conv, block.norm, layer)
    with torch.no_grad():
        for parameter, value in wholes:
            parameter.copy_(value)


def _body(net: VGG16Network, state: Mapping[str, Tensor]) -> list[Layer]:
    normed = "features.1.running_mean" in state
    indices = _NORMED if normed else _PLAIN
    blocks = [block for block in net.features if isinstance(block, ConvReLU)]
    if len(blocks) != len(indices):
        raise ValueError(
            f"VGG-16 has {len(indices)} convolutions, this {type(net).__name__} has {len(blocks)}; "
            "build it with VGG-16's depths, or train it from its own start"
        )
    expected: dict[str, Tensor] = {}
    for index, block in zip(indices, blocks, strict=True):
        per_channel = torch.empty(block.conv.out_channels, device="meta")
        expected[f"features.{index}.weight"] = block.conv.weight
        expected[f"features.{index}.bias"] = per_channel
        expected |= {f"features.{index + 1}.{name}": per_channel for name in _NORM} if normed else {}
    ignored = ("classifier.", "pre_logits.", "head.")
    found = {k: v for k, v in state.items() if not k.startswith(ignored) and not k.endswith("num_batches_tracked")}
    check_fit("VGG-16", expected, found)
    return [_layer(state, index, normed=normed) for index in indices]


def _layer(state: Mapping[str, Tensor], index: int, *, normed: bool) -> Layer:
    weight, bias = state[f"features.{index}.weight"], state[f"features.{index}.bias"]
    if not normed:
        return plain_layer(weight, bias)
    return normed_layer(weight, bias, {name: state[f"features.{index + 1}.{name}"] for name in _NORM})


def _decimated(net: VGG16Network, state: Mapping[str, Tensor]) -> list[tuple[ConvReLU, Layer]]:
    """Each fc6 and fc7 of the head, with the layer made for it from VGG's two 4096-wide ones."""
    pairs = _fc_layers(net.head)
    fc6, fc7 = _fc_names(state, "decimated")
    whole6, whole7 = state[f"{fc6}.weight"].reshape(4096, 512, 7, 7), state[f"{fc7}.weight"].reshape(4096, 4096, 1, 1)
    made: list[tuple[ConvReLU, Layer]] = []
    for block6, block7 in pairs:
        width = block6.conv.out_channels
        if 4096 % width:
            raise ValueError(f"fc='decimated' takes every n-th of 4096 channels, so hidden must divide 4096; got {width}")
        step = 4096 // width
        made.append((block6, plain_layer(whole6[::step, :, ::3, ::3], state[f"{fc6}.bias"][::step])))
        made.append((block7, plain_layer(whole7[::step, ::step], state[f"{fc7}.bias"][::step])))
    return made


def _fc_names(state: Mapping[str, Tensor], fc: str) -> tuple[str, str]:
    names = next((pair for pair in _FC if f"{pair[0]}.weight" in state), None)
    if names is None:
        raise ValueError(
            f"fc={fc!r} takes fc6 and fc7 from VGG's fully connected layers, which these weights lack "
            f"(none of {[f'{pair[0]}.weight' for pair in _FC]}); pass weights that have them, or fc='fresh'"
        )
    return names


def _whole(net: VGG16Network, state: Mapping[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Our fc6 and fc7 with their values in VGG's, whose 7x7 filters are rows here."""
    if not isinstance(net.head, VGGClassifier):
        raise ValueError(f"{type(net.head).__name__} has no fc6 and fc7 as VGG has them; use fc='fresh'")
    ours = (net.head.fc6.linear, net.head.fc7.linear)
    made: dict[str, tuple[Tensor, Tensor]] = {}
    for name, layer in zip(_fc_names(state, "loaded"), ours, strict=True):
        made[f"{name}.weight"] = (layer.weight, state[f"{name}.weight"].flatten(1))
        made[f"{name}.bias"] = (layer.bias, state[f"{name}.bias"])
    expected, found = ({name: pair[i] for name, pair in made.items()} for i in (0, 1))
    check_fit("VGG-16", expected, found)
    return list(made.values())


def _fc_layers(head: nn.Module) -> list[tuple[ConvReLU, ConvReLU]]:
    if isinstance(head, LargeFOV):
        branches: list[tuple[nn.Module, nn.Module]] = [(head.fc6, head.fc7)]
    elif isinstance(head, ASPP) and head.hidden is not None:
        branches = list(zip(head.fc6, head.fc7, strict=True))
    else:
        raise ValueError(f"{type(head).__name__} has no fc6 and fc7 to decimate into; use fc='fresh'")
    first = [[next(m for m in layer.modules() if isinstance(m, ConvReLU)) for layer in branch] for branch in branches]
    return [(fc6, fc7) for fc6, fc7 in first]


def _downloaded(net: VGG16Network) -> nn.Module:
    normed = any(isinstance(module, nn.BatchNorm2d) for module in net.features.modules())
    return download("torchvision's VGG-16", "torchvision.models", "vgg16_bn" if normed else "vgg16", weights="DEFAULT")


@load_pretrained.register
def _(net: DeepLabVGG16) -> None:
    load_vgg16(net, _downloaded(net), fc="decimated")


@load_pretrained.register
def _(net: VGG16) -> None:
    whole = isinstance(net.head, VGGClassifier) and net.head.fc6.linear.weight.shape == (4096, 512 * 7 * 7)
    load_vgg16(net, _downloaded(net), fc="loaded" if whole else "fresh")


@load_pretrained.register
def _(net: RPNVGG16 | PSPNetVGG16 | SegNetVGG16 | STANSegNet | DenseSegNet) -> None:
    load_vgg16(net, _downloaded(net))
