"""ImageNet's AlexNet, as torchvision has it, into the networks here that are made of it."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from taskweave.heads.layers import ConvReLU
from taskweave.networks.alexnet.fast_rcnn_alexnet import FastRCNNAlexNet
from taskweave.networks.alexnet.fcn32s_alexnet import FCN32sAlexNet
from taskweave.networks.weights import Weights, check_fit, download, load_pretrained, state_of

# torchvision's names of conv1 ... conv5 and fc6, fc7
_CONVOLUTIONS = ("features.0", "features.3", "features.6", "features.8", "features.10")
_FULLY_CONNECTED = ("classifier.1", "classifier.4")


def load_alexnet(
    net: FCN32sAlexNet | FastRCNNAlexNet, source: Weights, *, fc: Literal["loaded", "fresh"] = "loaded"
) -> None:
    """Load torchvision's AlexNet (or its state_dict) into a network with torchvision's body.

    fc: "loaded" takes fc6 and fc7 too, for `fcn32s_alexnet` read as 6x6 and 1x1 convolutions; "fresh" leaves ours.
    Raises ValueError naming the missing, unexpected and differing entries for weights of another network. Nothing is
    copied then.
    """
    if fc not in ("loaded", "fresh"):
        raise ValueError(f"fc is 'loaded' or 'fresh', got {fc!r}")
    layers = _layers(net, fully_connected=fc == "loaded")
    expected: dict[str, Tensor] = {}
    for name, layer in layers.items():
        assert layer.bias is not None
        expected[f"{name}.weight"] = layer.weight.flatten(1) if name in _FULLY_CONNECTED else layer.weight
        expected[f"{name}.bias"] = layer.bias
    state = state_of(source)
    ignored = ("classifier.6.",) if fc == "loaded" else ("classifier.",)
    check_fit("AlexNet", expected, {name: value for name, value in state.items() if not name.startswith(ignored)})
    with torch.no_grad():
        for name, layer in layers.items():
            assert layer.bias is not None
            layer.weight.copy_(state[f"{name}.weight"].reshape(layer.weight.shape))
            layer.bias.copy_(state[f"{name}.bias"])


def _layers(net: FCN32sAlexNet | FastRCNNAlexNet, *, fully_connected: bool) -> dict[str, nn.Conv2d | nn.Linear]:
    """Our layers by torchvision's names."""
    blocks = [module.conv for module in net.features.modules() if isinstance(module, ConvReLU)]
    layers: dict[str, nn.Conv2d | nn.Linear] = dict(zip(_CONVOLUTIONS, blocks, strict=True))
    return layers | dict(zip(_FULLY_CONNECTED, net.fully_connected, strict=True)) if fully_connected else layers


def _load_pretrained(net: FCN32sAlexNet | FastRCNNAlexNet) -> None:
    def build() -> nn.Module:
        from torchvision.models import AlexNet_Weights, alexnet

        built: nn.Module = alexnet(weights=AlexNet_Weights.DEFAULT)
        return built

    load_alexnet(net, download(build, "torchvision's AlexNet"))


load_pretrained.register(FCN32sAlexNet, _load_pretrained)
load_pretrained.register(FastRCNNAlexNet, _load_pretrained)
