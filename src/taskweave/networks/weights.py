"""Weights from elsewhere into a network, or a sentence that says why they do not fit."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch
from importlib import import_module
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from taskweave.streams.stream import comes_from

Weights = nn.Module | Mapping[str, Tensor]
"""A network whose weights are wanted, or its state_dict."""


def state_of(source: Weights) -> dict[str, Tensor]:
    """The state_dict of a network, or the mapping itself; a training checkpoint that wraps one is refused."""
    state = source.state_dict() if isinstance(source, nn.Module) else dict(source)
    for key, value in state.items():
        if not isinstance(value, Tensor):
            raise ValueError(
                f"weights are a state_dict (name -> tensor), but {key!r} holds a {type(value).__name__}; "
                "if this is a training checkpoint, pass the state_dict inside it"
            )
    return state


def load_weights(net: nn.Module, source: Weights) -> None:
    """Copy every weight of `source` into `net`; both must have the same names and shapes.

    Raises:
        ValueError: The weights do not fit; names the missing and unexpected entries and the first shape that differs.
            Nothing is copied.
    """
    state = state_of(source)
    check_fit(type(net).__name__, net.state_dict(), state)
    net.load_state_dict(state)


def check_fit(what: str, expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    """Raise ValueError unless `found` has the names and shapes of `expected`."""
    missing = [name for name in expected if name not in found]
    unexpected = [name for name in found if name not in expected]
    other = [name for name in expected if name in found and found[name].shape != expected[name].shape]
    problems = []
    if missing:
        problems.append(f"missing {_some(missing)}")
    if unexpected:
        problems.append(f"unexpected {_some(unexpected)}")
    if other:
        name = other[0]
        problems.append(
            f"{name!r} is {tuple(found[name].shape)} where {tuple(expected[name].shape)} was expected"
            + (f", and {len(other) - 1} more shapes differ" if len(other) > 1 else "")
        )
    if problems:
        raise ValueError(f"these are weights of another network than {what}: {'; '.join(problems)}")


def _some(names: list[str], count: int = 3) -> str:
    return f"{names[:count]}" + (f" and {len(names) - count} more" if len(names) > count else "")


class Layer(NamedTuple):
    """A convolution and what follows it, as y = gamma (w * x - mean) / sqrt(variance) + beta per channel."""

    weight: Tensor
    gamma: Tensor
    mean: Tensor
    variance: Tensor
    beta: Tensor


def plain_layer(weight: Tensor, bias: Tensor) -> Layer:
    """A convolution with a bias and no norm."""
    one = torch.ones_like(bias)
    return Layer(weight, one, torch.zeros_like(bias), one, bias)


def normed_layer(weight: Tensor, bias: Tensor | None, norm: Mapping[str, Tensor], *, eps: float = 1e-5) -> Layer:
    """A convolution followed by batch norm, its own bias folded into the norm's mean."""
    mean = norm["running_mean"] if bias is None else norm["running_mean"] - bias
    return Layer(weight, norm["weight"], mean, norm["running_var"] + eps, norm["bias"])


@torch.no_grad()
def set_layer(conv: nn.Conv2d, norm: nn.BatchNorm2d | None, layer: Layer) -> None:
    """Make `conv` and `norm` compute, in eval mode, what `layer` computed, with a norm or without one on either side.

    Without a norm on our side the whole layer goes into weight and bias. With one, a layer that had none gives
    gamma = 1, beta = bias, mean 0, variance 1 - eps: exact in eval mode; in train mode the norm standardises what it
    sees and the equality ends. Where the two norms' eps differ the running variance takes up the difference.
    """
    if norm is None:
        assert conv.bias is not None
        scale = layer.gamma / layer.variance.sqrt()
        conv.weight.copy_(layer.weight * scale[:, None, None, None])
        conv.bias.copy_(layer.beta - layer.mean * scale)
        return
    assert norm.running_mean is not None and norm.running_var is not None
    conv.weight.copy_(layer.weight)
    norm.weight.copy_(layer.gamma)
    norm.bias.copy_(layer.beta)
    norm.running_mean.copy_(layer.mean)
    norm.running_var.copy_(layer.variance - norm.eps)


@singledispatch
def load_pretrained(net: nn.Module) -> None:
    """Download ImageNet weights for a network of this package and load them into its body.

    VGG-16 (torchvision's, decimated into DeepLab's fc6 and fc7), timm's networks (its default weights of that name),
    AlexNet (torchvision's). They expect pictures prepared with ``taskweave.IMAGENET``.

    Raises:
        ConnectionError: The download fails.
        TypeError: No pre-trained weights are known for this network.
    """
    if comes_from(type(net), "timm"):
        return _load_timms_own(net)
    raise TypeError(f"no pre-trained weights are known for {type(net).__name__}; load a state_dict with load_weights")


def download(what: str, library: str, call: str, *args: Any, **options: Any) -> nn.Module:
    """A pre-trained network from its library; where that fails, one ConnectionError that says what to do."""
    try:
        net: nn.Module = getattr(import_module(library), call)(*args, **options)
        return net
    except (OSError, RuntimeError) as error:  # urllib, requests and the Hugging Face client all end in one of these
        raise ConnectionError(
            f"could not download {what}: {type(error).__name__}: {error}. Without a network, load a file you have with "
            "load_vgg16, load_resnet or load_alexnet(net, torch.load(file))"
        ) from error


def load_timm(net: nn.Module, source: Weights) -> None:
    """Load the weights of a timm network (or its state_dict) into another of its kind, all but the last layer's.

    Raises:
        ValueError: These are weights of another network; the missing, unexpected and differing entries are named.
    """
    paths = _config(net)["classifier"]
    last = tuple(f"{path}." for path in ((paths,) if isinstance(paths, str) else paths))
    own = {name: value for name, value in net.state_dict().items() if not name.startswith(last)}
    given = {name: value for name, value in state_of(source).items() if not name.startswith(last)}
    check_fit(type(net).__name__, own, given)
    net.load_state_dict(given, strict=False)


def _load_timms_own(net: nn.Module) -> None:
    """Download timm's default weights for a timm network into all but its last layer; ConnectionError where that fails."""
    name = _config(net)["architecture"]
    load_timm(net, download(f"timm's {name}", "timm", "create_model", name, pretrained=True))


def _config(net: nn.Module) -> dict[str, Any]:
    config = getattr(net, "pretrained_cfg", None)
    if not config:
        raise TypeError(f"{type(net).__name__} was not built by timm.create_model; load weights with load_weights")
    return dict(config)
