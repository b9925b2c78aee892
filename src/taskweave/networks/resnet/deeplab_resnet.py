"""Networks on timm's: DeepLab on a ResNet, and any timm network as a classifier."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, final

import torch
from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.heads.dense import ASPP, AsppV3
from taskweave.heads.layers import Head, Rate
from taskweave.networks.headed import headed_stream
from taskweave.networks.weights import Weights, check_fit, download, load_pretrained, state_of
from taskweave.parts import Part, part, states
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Stage, Stream


def deeplab_resnet(
    channels: int,
    *,
    body: str = "resnet18",
    output_stride: Literal[8, 16, 32] = 8,
    head: Part[Head] = part(ASPP, hidden=None, dropout=0.0),
) -> DeepLabResNet:
    """Build a DeepLab on a timm ResNet: (B, 3, H, W) -> (B, channels, ~H/stride, ~W/stride), any H and W.

    Weights: `load_resnet` or `load_pretrained`.
    Source: Chen et al., DeepLab v2 (TPAMI 2018) and v3 (2017); Gao et al., NDDR-CNN (CVPR 2019), section 5.1.2.

    Args:
        channels: Of the output, e.g. classes.
        body: A timm model of its ResNet class: "resnet18", "resnet50", "resnet101d", "resnext50_32x4d", "wide_resnet50_2".
        output_stride: 8 or 16 dilates layer4 (8: layer3 too) instead of striding.
        head: `ASPP` with hidden=None is DeepLab v2's (one dilated 3x3 layer to the classes per rate, summed); `AsppV3` is
            v3's, with the picture's mean.

    Raises:
        ValueError: `body` is no timm ResNet, or there is no such stride.
        ImportError: timm is not installed.
    """
    if output_stride not in (8, 16, 32):
        raise ValueError(f"output_stride is 8, 16 or 32, got {output_stride}")
    net, width = _timm_resnet(body, output_stride)
    return DeepLabResNet(net, head(FeatureShape.image(width, stride=output_stride), channels), body_name=body)


def made_of(options: Mapping[str, Any]) -> Part[nn.Module]:
    """The option `network` of a network that is made of another."""
    found: Part[nn.Module] = options["network"]
    return found


def check_v3(options: Mapping[str, Any]) -> None:
    """Raise ValueError unless the option `network` is a `deeplab_resnet` with the head `AsppV3`."""
    network = options["network"]
    if network.call is not deeplab_resnet:
        raise ValueError(f"network is a deeplab_resnet with options of its own, got {network.name!r}")
    if network.options["head"].call is not AsppV3:
        raise ValueError(f"network is a deeplab_resnet with the head aspp_v3, got {network.options['head'].name!r}")


def _timm_resnet(name: str, output_stride: int) -> tuple[nn.Module, int]:
    try:
        import timm
        from timm.models.resnet import ResNet
    except ImportError as error:
        raise ImportError("deeplab_resnet needs timm: pip install taskweave[timm]") from error
    try:
        net = timm.create_model(name, pretrained=False, num_classes=0, global_pool="", output_stride=output_stride)
    except (RuntimeError, TypeError, AssertionError) as error:  # unknown name; a family without output_stride
        raise ValueError(f"timm cannot build body={name!r} with output_stride={output_stride}: {error}") from error
    if not isinstance(net, ResNet):
        raise ValueError(
            f"body={name!r} is timm's {type(net).__name__}, not its ResNet class; "
            "see timm.list_models('resnet*') for what there is"
        )
    return net, int(net.num_features)


PARTS: Mapping[str, tuple[str, ...]] = {
    "stem": ("conv1", "bn1", "act1", "maxpool"),
    **{f"layer{layer}": (f"layer{layer}",) for layer in (1, 2, 3, 4)},
}
"""The parts of timm's ResNet, each a stage: its submodules, in order."""


class OnResNet(nn.Module):
    """A network on timm's ResNet `body`, whose own head is not used. `body_name` is timm's name, for `load_pretrained`."""

    body: nn.Module
    body_name: str | None
    gives: ClassVar[str] = "map"


@final
class DeepLabResNet(OnResNet):
    """A ResNet's features and a head for those of layer4; see `deeplab_resnet`."""

    usual_stages: ClassVar[tuple[str, ...]] = tuple(PARTS)
    """NDDR-CNN, section 5.1.2: the end of the stem and of every layer."""
    body_end: ClassVar[str] = "layer4"

    def __init__(self, body: nn.Module, head: nn.Module, *, body_name: str | None = None) -> None:
        super().__init__()
        self.body = body
        self.head = head
        self.body_name = body_name

    def forward(self, x: Tensor) -> Tensor:
        for paths in PARTS.values():
            for path in paths:
                x = self.body.get_submodule(path)(x)
        logits: Tensor = self.head(x)
        return logits


def part_stages(path: str) -> dict[str, Stage]:
    """The stages stem and layer1 ... layer4 of timm's ResNet at a path of a network."""
    return {name: tuple(f"{path}.{child}" for child in children) for name, children in PARTS.items()}


@as_stream.register
def _(net: DeepLabResNet) -> Stream:
    """Stages stem and layer1 ... layer4; the v3 head adds aspp, its features before the classifier."""
    return headed_stream(net, part_stages("body"))


def load_resnet(net: OnResNet, source: Weights) -> None:
    """Load timm's or torchvision's ResNet of the same name into the body, without its classifier.

    Args:
        source: The network or its state_dict.

    Raises:
        ValueError: The weights are of another network; names the missing, unexpected and differing entries.
    """
    state = {name: value for name, value in state_of(source).items() if not name.startswith("fc.")}
    check_fit(f"the body {net.body_name or type(net.body).__name__}", net.body.state_dict(), state)
    net.body.load_state_dict(state)


@load_pretrained.register
def _(net: OnResNet) -> None:
    """Download timm's default weights of the body's name into it. Raises TypeError for a body without a name."""
    name = net.body_name
    if name is None:
        raise TypeError(f"this {type(net).__name__} was built from a body without a name; load weights with load_resnet")
    load_resnet(net, download(f"timm's {name}", "timm", "create_model", name, pretrained=True))


@functools.cache
def _stages(body: str) -> tuple[str, ...]:
    with torch.device("meta"):
        return tuple(as_stream(timm_classifier(1, body=body)).stages)


@states(
    usual_stages=lambda options: _stages(options["body"]),
    body_end=lambda options: _stages(options["body"])[-1],
    body_prefix="",
    gives="numbers",
    dense_counterpart=lambda options: part(deeplab_resnet, body=options["body"], output_stride=32),
)
def timm_classifier(channels: int, *, body: str = "resnet18", dropout: Rate = 0.0) -> nn.Module:
    """timm's network of a name with `channels` outputs; (B, 3, H, W) -> (B, channels), for H and W that it takes.

    Its stages are what `as_stream` knows of it ("layer1" ...), or the features that timm lists.
    Weights: `load_timm` or `load_pretrained`.

    Args:
        channels: Of the output, e.g. classes.
        body: "resnet18", "convnext_tiny", "efficientnet_b0", "vit_tiny_patch16_224" ...; see ``timm.list_models()``.
        dropout: Before the last layer.

    Raises:
        ValueError: timm does not know the name.
        ImportError: timm is not installed.
    """
    try:
        import timm
    except ImportError as error:
        raise ImportError("timm_classifier needs timm: pip install taskweave[timm]") from error
    try:
        net: nn.Module = timm.create_model(body, pretrained=False, num_classes=channels, drop_rate=dropout)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"timm cannot build body={body!r}: {error}; see timm.list_models() for what there is") from error
    return net
