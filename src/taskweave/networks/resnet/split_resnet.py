"""Split on ResNet-DeepLab: one ResNet for all tasks, and a DeepLab head for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from torch import nn

from taskweave.heads.convolution import classifier
from taskweave.heads.deeplab import ASPPv3
from taskweave.images import IMAGENET, ImageStatistics
from taskweave.networks.resnet.deeplab_resnet import DeepLabResNet, deeplab_resnet
from taskweave.networks.segnet.split_segnet import Split
from taskweave.streams.convert import as_stream
from taskweave.weaving.connected import Connected, Decoder

PLAIN = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")


def split_resnet(
    outputs: Mapping[str, int],
    *,
    kind: Split = "wide",
    backbone: str = "resnet50",
    output_stride: Literal[8, 16, 32] = 8,
    hidden: int = 256,
    rates: Sequence[int] | None = None,
    dropout: float = 0.0,
    tasks: Mapping[str, Decoder] | None = None,
    statistics: ImageStatistics = IMAGENET,
) -> Connected:
    """A fresh Split on DeepLab v3; (B, 3, H, W) -> {task: (B, channels, ~H/stride, ~W/stride)}, any H and W.

    One ResNet is the trunk; each task has a DeepLab head on its layer4.
    Source: Liu et al., "End-to-end multi-task learning with attention" (CVPR 2019), section 4.1, "Split (Wide, Deep)".

    outputs: {task: channels of its output}.
    kind: "wide" doubles the channels of layer4, "deep" the residual blocks of every layer, "standard" neither.
    backbone: resnet18, 34, 50, 101 or 152, before it grows.
    output_stride, hidden, rates, dropout: of `deeplab_resnet` and its "aspp_v3" head.
    tasks, statistics: as in `Connected`.
    Weights: ``load_resnet(net.stream(task).net, ...)`` of any task, where the kind is "standard".

    Deviations: they have Split on SegNet alone (`split_segnet`); a ResNet grows here as that network does there.
    Raises ValueError for another kind or backbone, ImportError without timm.
    """
    if kind not in ("standard", "wide", "deep"):
        raise ValueError(f"kind is 'standard', 'wide' or 'deep', got {kind!r}")
    if backbone not in PLAIN:
        raise ValueError(f"split_resnet grows a plain ResNet: backbone is one of {PLAIN}, got {backbone!r}")
    usual = (12, 24, 36)
    rates = tuple(rate * 8 // output_stride for rate in usual) if rates is None else tuple(rates)
    body = deeplab_resnet(1, body=backbone, output_stride=output_stride, rates=(1,)).body
    if kind != "standard":
        body = _grown(body, kind, output_stride)
    width = int(_note_of(body)[-1]["num_chs"])
    streams = {}
    for name, channels in outputs.items():
        aspp = ASPPv3(width, rates=rates, hidden=hidden, dropout=dropout)
        head = nn.Sequential(aspp, classifier(hidden, channels))
        streams[name] = as_stream(DeepLabResNet(body, head, body_name=backbone if kind == "standard" else None))
    return Connected(streams, trunk="layer4", tasks=tasks, statistics=statistics)


def _note_of(body: Any) -> list[dict[str, Any]]:
    """What timm notes of the stem and layer1 ... layer4."""
    return list(body.feature_info)


def _grown(body: nn.Module, kind: Split, output_stride: int) -> nn.Module:
    """A fresh ResNet of the same blocks, with twice the channels in layer4 or twice the blocks in every layer."""
    from timm.models.resnet import ResNet

    layers = [list(body.get_submodule(f"layer{layer}").children()) for layer in (1, 2, 3, 4)]
    counts = tuple(len(blocks) * (2 if kind == "deep" else 1) for blocks in layers)
    block: Any = type(layers[0][0])
    channels = (64, 128, 256, 1024 if kind == "wide" else 512)
    grown: nn.Module = ResNet(block, counts, num_classes=0, global_pool="", output_stride=output_stride, channels=channels)
    return grown
