"""MTAN on ResNet-DeepLab: one shared ResNet, attention blocks and a head for every task. STAN is its form for one."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar, final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from taskweave.features import FeatureShape
from taskweave.heads.dense import AsppV3
from taskweave.networks.headed import Call, enlarged, headed_stream, note_image
from taskweave.networks.resnet.deeplab_resnet import (
    PARTS,
    DeepLabResNet,
    OnResNet,
    check_v3,
    deeplab_resnet,
    made_of,
)
from taskweave.parts import Part, part, states
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Stage, Step, Stream
from taskweave.units.attention import Attention
from taskweave.units.unit import Unit
from taskweave.weaving.connected import Connected

LAYERS = (1, 2, 3, 4)
NARROW_ATTENTION = part(Attention, share=0.25, kernel_size=1)
"""MTAN's mask for ResNets: two 1x1 convolutions with a quarter of the feature's channels between them."""
DEEPLAB_V3 = part(deeplab_resnet, body="resnet50", head=part(AsppV3))


@states(title="MTAN", check=check_v3, dense_counterpart=made_of, gives="map")
def mtan_resnet(
    outputs: Mapping[str, int], *, network: Part[nn.Module] = DEEPLAB_V3, attention: Part[Unit] = NARROW_ATTENTION
) -> Connected:
    """Build an MTAN on DeepLab v3: (B, 3, H, W) -> {task: (B, channels, H, W)}, any H and W.

    The ResNet is the trunk, f is shared too, and each task's stream goes on with attention blocks and a head of its own:
    `stan_resnet` with other tasks beside it. Every stream's network is such a STAN, whose `body` and `path` are the same
    objects for all tasks.
    Source: Liu et al., "End-to-end multi-task learning with attention" (CVPR 2019) and, for the ResNet, its public code.

    Weights: ``load_resnet(net.stream(task).net, ...)`` of any task loads the ResNet that all share.
    Size: 90,561,745 parameters for 13, 1 and 3 channels on resnet50.

    Args:
        outputs: {task: channels of its output}.
        network: As in `stan_resnet`.
        attention: As in `stan_resnet`.

    Raises:
        ValueError: There is no task, or as in `stan_resnet`.
        ImportError: timm is not installed.
    """
    nets: dict[str, STANResNet] = {}
    for name, channels in outputs.items():
        net = stan_resnet(channels, network=network, attention=attention)
        first = next(iter(nets.values()), net)
        net.body, net.path = first.body, first.path
        nets[name] = net
    trunk = next(iter(nets.values())).body_end if nets else None
    return Connected({name: as_stream(net) for name, net in nets.items()}, trunk=trunk)


def _last_block(options: Mapping[str, Any]) -> str:
    with torch.device("meta"):
        return stan_resnet(1, **options).body_end


@states(check=check_v3, body_end=_last_block)
def stan_resnet(
    channels: int, *, network: Part[nn.Module] = DEEPLAB_V3, attention: Part[Unit] = NARROW_ATTENTION
) -> STANResNet:
    """Build a STAN on DeepLab v3: (B, 3, H, W) -> (B, channels, H, W), any H and W.

    Beside the ResNet stands an attention block for each of its four layers: a_j = m_j * p_j as in `stan_segnet`, where u_j
    and p_j are the outputs of the layer's last two residual blocks. f_j is a residual bottleneck to the next layer's
    channels, followed by a 2x2 max-pool where that layer is smaller. DeepLab's head takes a_4; there is no attention behind
    it. The logits are enlarged to the picture's size (bilinear, align_corners=False).
    Source: Liu et al., "End-to-end multi-task learning with attention" (CVPR 2019); how it sits on a ResNet is not in the
    paper and follows its public code.

    Weights: `load_resnet` or `load_pretrained`.

    Deviations: the head is that of `deeplab_resnet`, without the 3x3 convolution before the last layer that the code has.
    Size: 51,148,749 parameters for 13 channels on resnet50.

    Args:
        channels: Of the output, e.g. classes.
        network: A `deeplab_resnet` with the head `AsppV3`, on a ResNet with two residual blocks or more in every layer.
        attention: The attention block, built from the shapes of [u, f(a), p] (of [u, p] for the first layer).

    Raises:
        ValueError: `network` is another one, or its ResNet has a layer of one block.
        ImportError: timm is not installed.
    """
    check_v3({"network": network})
    net = network(channels)
    assert isinstance(net, DeepLabResNet)
    return with_attention(net, attention)


def with_attention(net: DeepLabResNet, attention: Part[Unit] = NARROW_ATTENTION) -> STANResNet:
    """A STAN of a DeepLab with the "aspp_v3" head: its body and head, the objects that were given, and fresh attention."""
    widths = [int(layer["num_chs"]) for layer in _layers(net.body)]
    path = nn.ModuleList(_bottleneck(before, after) for before, after in pairwise(widths))
    shapes = [[FeatureShape.image(width)] * (3 if i else 2) for i, width in enumerate(widths)]  # of any size
    return STANResNet(net.body, path, nn.ModuleList(map(attention, shapes)), net.head, body_name=net.body_name)


def _layers(body: Any) -> list[dict[str, Any]]:
    """What timm notes of layer1 ... layer4; the first of its five is the stem."""
    return list(body.feature_info)[1:]


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
class STANResNet(OnResNet):
    """A ResNet, f, one task's attention blocks and its head; see `stan_resnet`. In an MTAN the first two are shared.
    `path` is f for layers 2 to 4; `attention` has a block for each layer.
    """

    usual_stages: ClassVar[tuple[str, ...]] = tuple(f"attend_layer{layer}" for layer in LAYERS)
    """The ends of the attention blocks."""
    dense_counterpart = staticmethod(made_of)

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
        blocks = [[f"layer{layer}.{i}" for i in range(count)] for layer, count in zip(LAYERS, _depths(body), strict=True)]
        self.trunk = {"stem": tuple(f"body.{path}" for path in PARTS["stem"])}
        self.trunk |= {block: (f"body.{block}",) for of in blocks for block in of}
        self.reads = [(of[-2], of[-1]) for of in blocks]
        strides = [int(layer["reduction"]) for layer in _layers(body)]
        self.pools = tuple(after > before for before, after in pairwise(strides))

    def forward(self, x: Tensor) -> Tensor:
        size = x.shape[-2:]
        seen: dict[str, Tensor] = {}
        for stage, paths in self.trunk.items():
            for path in paths:
                x = self.get_submodule(path)(x)
            seen[stage] = x
        for block in range(len(LAYERS)):
            x = self.attend(block, x, seen)
        return enlarged(self.head(x), size)

    @property
    def body_end(self) -> str:
        """The last residual block."""
        return list(self.trunk)[-1]

    def attend(self, block: int, below: Tensor, seen: Mapping[str, Tensor]) -> Tensor:
        """a of attention block `block`, from 0, given the one below and the shared network's features."""
        first, last = (seen[stage] for stage in self.reads[block])
        carried = []
        if block:
            below = self.path[block - 1](below)
            carried = [F.max_pool2d(below, 2, ceil_mode=True) if self.pools[block - 1] else below]
        (attended,) = self.attention[block]([first, *carried, last])
        return attended  # type: ignore[no-any-return]


def _depths(body: nn.Module) -> list[int]:
    """How many residual blocks each layer has."""
    counts = [len(list(body.get_submodule(f"layer{layer}").children())) for layer in LAYERS]
    if min(counts) < 2:
        raise ValueError(
            f"attention reads the last two residual blocks of every layer, and this backbone has {counts}; "
            "take one with two or more, resnet18 or larger"
        )
    return counts


@as_stream.register
def _(net: STANResNet) -> Stream:
    """Stages stem, layer1.0 ... layer4.2 (a residual block each), then attend_layer1 ... attend_layer4 and aspp."""
    stages: dict[str, Stage] = dict(net.trunk)
    for block, layer in enumerate(LAYERS):
        carried = (f"path.{block - 1}",) if block else ()
        stages[f"attend_layer{layer}"] = Step(Call("attend", block), (*carried, f"attention.{block}"))
    return headed_stream(net, stages, enter=note_image, enlarge=True)
