"""MTAN's baselines on ResNet-DeepLab: Dense, a ResNet per task beside a shared one; Split, one ResNet with many heads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

import torch
from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.heads.dense import ASPP
from taskweave.heads.layers import ConvReLU
from taskweave.networks.headed import Call, enlarged, headed_stream, note_image
from taskweave.networks.resnet.deeplab_resnet import (
    PARTS,
    DeepLabResNet,
    OnResNet,
    check_v3,
    made_of,
    part_stages,
)
from taskweave.networks.resnet.mtan_resnet import DEEPLAB_V3
from taskweave.networks.segnet.baselines import Grown
from taskweave.networks.segnet.segnet_vgg16 import NORM
from taskweave.parts import Part, part, states
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Memory, Stage, Step, Stream
from taskweave.weaving.connected import Connected

PLAIN = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")


@states(title="Dense", check=check_v3, dense_counterpart=made_of, gives="map")
def dense_resnet(outputs: Mapping[str, int], *, network: Part[nn.Module] = DEEPLAB_V3) -> Connected:
    """Build MTAN's "Dense" baseline on DeepLab v3: (B, 3, H, W) -> {task: (B, channels, H, W)}, any H and W.

    A shared ResNet is the trunk. Each task has a ResNet of its own beside it; after the stem and after each layer it reads
    the shared feature of that stage behind its own, and a 1x1 convolution (batch norm, ReLU) brings both back to the
    layer's channels. DeepLab's head takes the last; the logits are enlarged to the picture's size (bilinear,
    align_corners=False).
    Source: Liu et al., "End-to-end multi-task learning with attention" (CVPR 2019), section 4.1, "Dense".

    Weights: ``load_resnet(net.stream(task).net, ...)`` of any task loads the ResNet that all share.

    Deviations: they have Dense on SegNet alone (`dense_segnet`), where a block's first convolution takes both features; the
    1x1 convolution is ours, and leaves the tasks' ResNets as they are.

    Args:
        outputs: {task: channels of its output}.
        network: The `deeplab_resnet`, with the head `AsppV3`, that each task has and whose ResNet they share once more.

    Raises:
        ValueError: `network` is another one.
        ImportError: timm is not installed.
    """
    check_v3({"network": network})
    nets: dict[str, DenseResNet] = {}
    for name, channels in outputs.items():
        one = _deeplab(network, channels)
        first = next(iter(nets.values()), None)
        body = first.body if first else _deeplab(network.replace(head=part(ASPP, hidden=None)), 1).body
        nets[name] = DenseResNet(body, one.body, one.head, body_name=one.body_name)
    return Connected({name: as_stream(net) for name, net in nets.items()}, trunk="layer4")


def _check_plain(options: Mapping[str, Any]) -> None:
    check_v3(options)
    body = options["network"].options["body"]
    if body not in PLAIN:
        raise ValueError(f"split_resnet grows a plain ResNet: the body is one of {PLAIN}, got {body!r}")


@states(title=lambda options: f"Split ({options['grown']})", check=_check_plain, dense_counterpart=made_of, gives="map")
def split_resnet(outputs: Mapping[str, int], *, grown: Grown = "wide", network: Part[nn.Module] = DEEPLAB_V3) -> Connected:
    """Build MTAN's "Split" baseline on DeepLab v3: (B, 3, H, W) -> {task: (B, channels, ~H/stride, ~W/stride)}, any H, W.

    One ResNet is the trunk; each task has a DeepLab head on its layer4.
    Source: Liu et al., "End-to-end multi-task learning with attention" (CVPR 2019), section 4.1, "Split (Wide, Deep)".

    Weights: ``load_resnet(net.stream(task).net, ...)`` of any task, where it is "standard".

    Deviations: they have Split on SegNet alone (`split_segnet`); a ResNet grows here as that network does there.

    Args:
        outputs: {task: channels of its output}.
        grown: "wide" doubles the channels of layer4, "deep" the residual blocks of every layer, "standard" neither.
        network: A `deeplab_resnet` with the head `AsppV3` on resnet18, 34, 50, 101 or 152, before it grows.

    Raises:
        ValueError: `grown` is another word, or `network` another one.
        ImportError: timm is not installed.
    """
    if grown not in ("standard", "wide", "deep"):
        raise ValueError(f"grown is 'standard', 'wide' or 'deep', got {grown!r}")
    _check_plain({"network": network})
    name, stride, head = (network.options[option] for option in ("body", "output_stride", "head"))
    body = _deeplab(network.replace(head=part(ASPP, hidden=None, rates=(1,))), 1).body
    if grown != "standard":
        body = _grown(body, grown, stride)
    info: Any = body.feature_info
    shape = FeatureShape.image(int(list(info)[-1]["num_chs"]), stride=stride)
    stored = name if grown == "standard" else None
    streams = {
        task: as_stream(DeepLabResNet(body, head(shape, channels), body_name=stored)) for task, channels in outputs.items()
    }
    return Connected(streams, trunk="layer4")


def _deeplab(network: Part[nn.Module], channels: int) -> DeepLabResNet:
    net = network(channels)
    assert isinstance(net, DeepLabResNet)
    return net


def _grown(body: nn.Module, grown: Grown, output_stride: int) -> nn.Module:
    """A fresh ResNet of the same blocks, with twice the channels in layer4 or twice the blocks in every layer."""
    from timm.models.resnet import ResNet

    layers = [list(body.get_submodule(f"layer{layer}").children()) for layer in (1, 2, 3, 4)]
    counts = tuple(len(blocks) * (2 if grown == "deep" else 1) for blocks in layers)
    block: Any = type(layers[0][0])
    channels = (64, 128, 256, 1024 if grown == "wide" else 512)
    larger: nn.Module = ResNet(block, counts, num_classes=0, global_pool="", output_stride=output_stride, channels=channels)
    return larger


@final
class DenseResNet(OnResNet):
    """One task's ResNet `own` beside the shared `body` that it reads, one object for all tasks; see `dense_resnet`."""

    body_end: ClassVar[str] = "layer4"

    def __init__(self, body: nn.Module, own: nn.Module, head: nn.Module, *, body_name: str | None = None) -> None:
        super().__init__()
        notes: Any = own.feature_info
        widths = [int(part["num_chs"]) for part in notes]
        self.body = body
        self.own = own
        self.merge = nn.ModuleList(ConvReLU(2 * width, width, kernel_size=1, batch_norm=NORM) for width in widths)
        self.head = head
        self.body_name = body_name

    def forward(self, x: Tensor) -> Tensor:
        memory, shared, own = {"image": x}, x, x
        for name, paths in PARTS.items():
            for path in paths:
                shared = self.body.get_submodule(path)(shared)
            memory[name] = shared
        for name in PARTS:
            own = self.beside(name, own, memory)
        return enlarged(self.head(own), x.shape[-2:])

    def beside(self, name: str, x: Tensor, memory: Memory) -> Tensor:
        """The task's part `name` on its feature before (or the picture), with the shared feature of that place."""
        x = memory["image"] if name == "stem" else x
        for path in PARTS[name]:
            x = self.own.get_submodule(path)(x)
        out: Tensor = self.merge[list(PARTS).index(name)](torch.cat([x, memory[name]], 1))
        return out


@as_stream.register
def _(net: DenseResNet) -> Stream:
    """The shared ResNet's stages stem, layer1 ... layer4, the task's own_stem, own_layer1 ... own_layer4, and aspp."""
    stages: dict[str, Stage] = part_stages("body")
    for index, (name, paths) in enumerate(PARTS.items()):
        stages[f"own_{name}"] = Step(Call("beside", name), (*(f"own.{path}" for path in paths), f"merge.{index}"))
    return headed_stream(net, stages, enter=note_image, enlarge=True)
