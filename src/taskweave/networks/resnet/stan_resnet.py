"""STAN on ResNet-DeepLab: one task's attention over a ResNet's layers; MTAN's single-task form there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Literal, final

from torch import Tensor, nn
from torch.nn import functional as F

from taskweave.features import FeatureShape
from taskweave.networks.enlarging import enlarged, enlarging_stream
from taskweave.networks.resnet.deeplab_resnet import DeepLabResNet, deeplab_resnet, load_pretrained_body
from taskweave.networks.weights import load_pretrained
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Memory, Stage, Step, Stream
from taskweave.units.attention import Attention
from taskweave.units.unit import Unit
from taskweave.weaving.connect import UnitFactory

LAYERS = (1, 2, 3, 4)
STEM = ("body.conv1", "body.bn1", "body.act1", "body.maxpool")


def narrow_attention(shapes: Sequence[FeatureShape]) -> Unit:
    """MTAN's mask for ResNets: two 1x1 convolutions with a quarter of the feature's channels between them."""
    return Attention(shapes, hidden=max(1, shapes[-1].channels // 4), kernel_size=1)


def stan_resnet(
    channels: int,
    *,
    backbone: str = "resnet50",
    output_stride: Literal[8, 16, 32] = 8,
    hidden: int = 256,
    rates: Sequence[int] | None = None,
    dropout: float = 0.0,
    attention: UnitFactory = narrow_attention,
) -> STANResNet:
    """A fresh STAN on DeepLab v3; (B, 3, H, W) -> (B, channels, H, W), any H and W.

    Beside the ResNet stands an attention block for each of its four layers: a_j = m_j * p_j as in `stan_segnet`, where u_j
    and p_j are the outputs of the layer's last two residual blocks. f_j is a residual bottleneck to the next layer's
    channels, followed by a 2x2 max-pool where that layer is smaller. DeepLab's head takes a_4; there is no attention behind
    it. The logits are enlarged to the picture's size (bilinear, align_corners=False).
    Source: Liu et al., "End-to-end multi-task learning with attention" (CVPR 2019); how it sits on a ResNet is not in the
    paper and follows its public code.

    channels: of the output, e.g. classes.
    backbone: timm's name of a ResNet with two residual blocks or more in every layer.
    output_stride, hidden, rates, dropout: of `deeplab_resnet` and its "aspp_v3" head.
    attention: what builds an attention block from the shapes of [u, f(a), p] (of [u, p] for the first layer).
    Weights: `load_resnet` or `load_pretrained`.

    Deviations: the head is that of `deeplab_resnet`, without the 3x3 convolution before the last layer that the code has.
    Size: 51,148,749 parameters for 13 channels on resnet50.
    Raises ValueError for a backbone that is no timm ResNet or has a layer of one block, ImportError without timm.
    """
    net = deeplab_resnet(
        channels,
        body=backbone,
        output_stride=output_stride,
        head="aspp_v3",
        hidden=hidden,
        rates=rates,
        dropout=dropout,
    )
    return with_attention(net, attention)


def with_attention(net: DeepLabResNet, attention: UnitFactory = narrow_attention) -> STANResNet:
    """A STAN of a DeepLab with the "aspp_v3" head: its body and head, the objects that were given, and fresh attention."""
    widths = [int(layer["num_chs"]) for layer in _layers(net.body)]
    path = nn.ModuleList(_bottleneck(before, after) for before, after in pairwise(widths))
    shapes = [[FeatureShape.image(width, 1, 1)] * (3 if i else 2) for i, width in enumerate(widths)]  # of any size
    return STANResNet(net.body, path, nn.ModuleList(map(attention, shapes)), net.head, body_name=net.body_name)


def _layers(body: Any) -> list[dict[str, Any]]:
    """What timm notes of layer1 ... layer4; the first of its five is the stem."""
    notes: list[dict[str, Any]] = list(body.feature_info)
    return notes[1:]


def _bottleneck(sources: int, channels: int) -> nn.Module:
    """timm's residual bottleneck with a projection, `sources` -> `channels`, He's start."""
    from timm.models.resnet import Bottleneck

    projection = nn.Sequential(nn.Conv2d(sources, channels, 1, bias=False), nn.BatchNorm2d(channels))
    block: nn.Module = Bottleneck(sources, channels // 4, downsample=projection)
    for module in block.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return block


@final
class STANResNet(nn.Module):
    """A ResNet, f, one task's attention blocks and its head; see `stan_resnet`. In an MTAN the first two are shared.

    body: timm's ResNet.  path: f for layers 2 to 4.  head: as in `deeplab_resnet`, "aspp_v3".
    """

    places: ClassVar[tuple[str, ...]] = tuple(f"attend_layer{layer}" for layer in LAYERS)
    """The ends of the attention blocks."""

    def __init__(
        self,
        body: nn.Module,
        path: nn.ModuleList,
        attention: nn.ModuleList,
        head: nn.Module,
        *,
        body_name: str | None = None,
    ) -> None:
        super().__init__()
        self.body = body
        self.path = path
        self.attention = attention
        self.head = head
        self.body_name = body_name
        self.trunk = _trunk(body)
        self.reads = _reads(body)
        strides = [int(layer["reduction"]) for layer in _layers(body)]
        self.pools = tuple(after > before for before, after in pairwise(strides))

    def forward(self, x: Tensor) -> Tensor:
        size = x.shape[-2:]
        seen: dict[str, Tensor] = {}
        for stage, paths in self.trunk.items():
            for path in paths:
                x = self.get_submodule(path)(x)
            seen[stage] = x
        for layer in LAYERS:
            x = self.attend(layer, x, seen)
        return enlarged(self.head(x), size)

    def attend(self, layer: int, below: Tensor, seen: Mapping[str, Tensor]) -> Tensor:
        """a of layer 1 to 4, given that of the layer before and the shared network's features."""
        first, last = (seen[stage] for stage in self.reads[layer - 1])
        carried = []
        if layer > 1:
            below = self.path[layer - 2](below)
            carried = [F.max_pool2d(below, 2, ceil_mode=True) if self.pools[layer - 2] else below]
        (attended,) = self.attention[layer - 1]([first, *carried, last])
        return attended  # type: ignore[no-any-return]


def _blocks(body: nn.Module, layer: int) -> list[str]:
    return [f"layer{layer}.{name}" for name, _ in body.get_submodule(f"layer{layer}").named_children()]


def _trunk(body: nn.Module) -> dict[str, tuple[str, ...]]:
    """Stages of the ResNet: its stem and every residual block."""
    blocks = [block for layer in LAYERS for block in _blocks(body, layer)]
    return {"stem": STEM} | {block: (f"body.{block}",) for block in blocks}


def _reads(body: nn.Module) -> list[tuple[str, str]]:
    """The stages (u_j, p_j) that each attention block reads."""
    counts = [len(_blocks(body, layer)) for layer in LAYERS]
    if min(counts) < 2:
        raise ValueError(
            f"attention reads the last two residual blocks of every layer, and this backbone has {counts}; "
            "take one with two or more, resnet18 or larger"
        )
    return [(blocks[-2], blocks[-1]) for blocks in (_blocks(body, layer) for layer in LAYERS)]


@final
@dataclass(frozen=True)
class _Attend:
    layer: int

    def __call__(self, net: nn.Module, x: Tensor, memory: Memory) -> Tensor:
        assert isinstance(net, STANResNet)
        return net.attend(self.layer, x, memory)


@as_stream.register
def _(net: STANResNet) -> Stream:
    """Stages stem, layer1.0 ... layer4.2 (a residual block each), then attend_layer1 ... attend_layer4 and aspp."""
    stages: dict[str, Stage] = dict(net.trunk)
    for layer in LAYERS:
        carried = (f"path.{layer - 2}",) if layer > 1 else ()
        stages[f"attend_layer{layer}"] = Step(_Attend(layer), (*carried, f"attention.{layer - 1}"))
    return enlarging_stream(net, stages)


load_pretrained.register(STANResNet, load_pretrained_body)
