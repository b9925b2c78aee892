"""DeepLab on any timm ResNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, Protocol, final

from torch import Tensor, nn

from taskweave.heads.convolution import classifier
from taskweave.heads.deeplab import ASPP, ASPPv3
from taskweave.networks.weights import Weights, check_fit, download, load_pretrained, state_of
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Memory, Stage, Stream

_MISSING = "deeplab_resnet needs timm: pip install taskweave[timm]"


def deeplab_resnet(
    channels: int,
    *,
    body: str = "resnet18",
    output_stride: Literal[8, 16, 32] = 8,
    head: Literal["aspp", "aspp_v3"] = "aspp",
    hidden: int = 256,
    rates: Sequence[int] | None = None,
    dropout: float = 0.0,
) -> DeepLabResNet:
    """A fresh DeepLab on a timm ResNet; (B, 3, H, W) -> (B, channels, ~H/stride, ~W/stride), any H and W.

    channels: of the output, e.g. classes.
    body: a timm model of its ResNet class: "resnet18", "resnet50", "resnet101d", "resnext50_32x4d", "wide_resnet50_2" ...
    output_stride: 8 or 16 dilates layer4 (8: layer3 too) instead of striding.
    head: "aspp" is DeepLab v2's (one dilated 3x3 layer to the classes per rate, summed); "aspp_v3" is v3's, `hidden`
        channels wide, with the picture's mean.
    rates: dilations of the head, in cells of the output; default (6, 12, 18, 24) for v2, (12, 24, 36) for v3, both for
        stride 8, halved at 16 and quartered at 32. Where H/stride is small, small rates do more: (1, 2, 4, 6) at 128 px.
    dropout: before the last layer.
    Weights: `load_resnet` or `load_pretrained`.
    Raises ValueError for a body that is not a timm ResNet, ImportError without timm.
    Source: Chen et al., DeepLab v2 (TPAMI 2018) and v3 (2017); Gao et al., NDDR-CNN (CVPR 2019), section 5.1.2.
    """
    if output_stride not in (8, 16, 32):
        raise ValueError(f"output_stride is 8, 16 or 32, got {output_stride}")
    if head not in ("aspp", "aspp_v3"):
        raise ValueError(f"head is 'aspp' or 'aspp_v3', got {head!r}")
    net, width = _timm_resnet(body, output_stride)
    usual = (6, 12, 18, 24) if head == "aspp" else (12, 24, 36)
    rates = tuple(rate * 8 // output_stride for rate in usual) if rates is None else tuple(rates)
    if head == "aspp":
        return DeepLabResNet(net, ASPP(width, channels, rates=rates, hidden=None, dropout=dropout), body_name=body)
    top = nn.Sequential(ASPPv3(width, rates=rates, hidden=hidden, dropout=dropout), classifier(hidden, channels))
    return DeepLabResNet(net, top, body_name=body)


def _timm_resnet(name: str, output_stride: int) -> tuple[nn.Module, int]:
    try:
        import timm
        from timm.models.resnet import ResNet
    except ImportError as error:
        raise ImportError(_MISSING) from error
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


@final
class DeepLabResNet(nn.Module):
    """A ResNet's features and a head; see `deeplab_resnet`.

    body: children conv1, bn1, act1, maxpool, layer1 ... layer4, as timm's ResNet; its own head is not used.
    head: takes the features of layer4.  body_name: timm's name of the body, for `load_pretrained`.
    """

    places: ClassVar[tuple[str, ...]] = ("stem", "layer1", "layer2", "layer3", "layer4")
    """Where units go unless told otherwise (NDDR-CNN, section 5.1.2: the end of the stem and of every layer)."""

    def __init__(self, body: nn.Module, head: nn.Module, *, body_name: str | None = None) -> None:
        super().__init__()
        self.body = body
        self.head = head
        self.body_name = body_name

    def forward(self, x: Tensor) -> Tensor:
        for paths in _STAGES.values():
            for path in paths:
                x = self.get_submodule(path)(x)
        logits: Tensor = self.head(x)
        return logits


_STAGES: Mapping[str, tuple[str, ...]] = {
    "stem": ("body.conv1", "body.bn1", "body.act1", "body.maxpool"),
    "layer1": ("body.layer1",),
    "layer2": ("body.layer2",),
    "layer3": ("body.layer3",),
    "layer4": ("body.layer4",),
}


def _run_head(net: nn.Module, memory: Memory) -> Tensor:
    logits: Tensor = net.get_submodule("head")(memory["layer4"])
    return logits


def _run_classifier(net: nn.Module, memory: Memory) -> Tensor:
    logits: Tensor = net.get_submodule("head.1")(memory["aspp"])
    return logits


@as_stream.register
def _(net: DeepLabResNet) -> Stream:
    """Stages stem and layer1 ... layer4; the v3 head adds aspp, its features before the classifier."""
    stages: dict[str, Stage] = dict(_STAGES)
    if isinstance(net.head, nn.Sequential):
        return Stream(net, stages | {"aspp": ("head.0",)}, exit=_run_classifier, head=("head.1",))
    last = ("head.fc8",) if isinstance(net.head, ASPP) else ("head",)
    return Stream(net, stages, exit=_run_head, head=last)


class OnResNet(Protocol):
    """A network whose `body` is timm's ResNet of the name `body_name`."""

    body: nn.Module
    body_name: str | None


def load_resnet(net: OnResNet, source: Weights) -> None:
    """Load timm's or torchvision's ResNet of the same name (or its state_dict) into the body; its classifier is left out.

    Raises ValueError naming the missing, unexpected and differing entries for weights of another network.
    """
    state = {name: value for name, value in state_of(source).items() if not name.startswith("fc.")}
    check_fit(f"the body {net.body_name or type(net.body).__name__}", net.body.state_dict(), state)
    net.body.load_state_dict(state)


def load_pretrained_body(net: OnResNet) -> None:
    """Download timm's default weights of the body's name into it. Raises TypeError for a body without a name."""
    name = net.body_name
    if name is None:
        raise TypeError(f"this {type(net).__name__} was built from a body without a name; load weights with load_resnet")

    def build() -> nn.Module:
        import timm

        built: nn.Module = timm.create_model(name, pretrained=True)
        return built

    load_resnet(net, download(build, f"timm's {name}"))


load_pretrained.register(DeepLabResNet, load_pretrained_body)
