"""Dense on ResNet-DeepLab: a ResNet per task that is handed every feature of a shared one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import torch
from torch import Tensor, nn

from taskweave.heads.convolution import ConvReLU
from taskweave.images import IMAGENET, ImageStatistics
from taskweave.networks.enlarging import enlarged, enlarging_stream
from taskweave.networks.resnet.deeplab_resnet import deeplab_resnet, load_pretrained_body
from taskweave.networks.segnet.segnet_body import NORM
from taskweave.networks.weights import load_pretrained
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Memory, Stage, Step, Stream
from taskweave.weaving.connected import Connected, Decoder

PARTS: Mapping[str, tuple[str, ...]] = {
    "stem": ("conv1", "bn1", "act1", "maxpool"),
    **{f"layer{layer}": (f"layer{layer}",) for layer in (1, 2, 3, 4)},
}
"""The parts of timm's ResNet, after each of which features are handed on."""


def dense_resnet(
    outputs: Mapping[str, int],
    *,
    backbone: str = "resnet50",
    output_stride: Literal[8, 16, 32] = 8,
    hidden: int = 256,
    rates: Sequence[int] | None = None,
    dropout: float = 0.0,
    tasks: Mapping[str, Decoder] | None = None,
    statistics: ImageStatistics = IMAGENET,
) -> Connected:
    """A fresh Dense on DeepLab v3; (B, 3, H, W) -> {task: (B, channels, H, W)}, any H and W.

    A shared ResNet is the trunk. Each task has a ResNet of its own beside it; after the stem and after each layer it reads
    the shared feature of that place behind its own, and a 1x1 convolution (batch norm, ReLU) brings both back to the
    layer's channels. DeepLab's head takes the last; the logits are enlarged to the picture's size (bilinear,
    align_corners=False).
    Source: Liu et al., "End-to-end multi-task learning with attention" (CVPR 2019), section 4.1, "Dense".

    outputs: {task: channels of its output}.
    backbone: timm's name of a ResNet.
    output_stride, hidden, rates, dropout: of `deeplab_resnet` and its "aspp_v3" head.
    tasks, statistics: as in `Connected`.
    Weights: ``load_resnet(net.stream(task).net, ...)`` of any task loads the ResNet that all share.

    Deviations: they have Dense on SegNet alone (`dense_segnet`), where a block's first convolution takes both features; the
    1x1 convolution is ours, and leaves the tasks' ResNets as they are.
    Raises ValueError for a backbone that is no timm ResNet, ImportError without timm.
    """
    nets: dict[str, DenseResNet] = {}
    for name, channels in outputs.items():
        one = deeplab_resnet(
            channels,
            body=backbone,
            output_stride=output_stride,
            head="aspp_v3",
            hidden=hidden,
            rates=rates,
            dropout=dropout,
        )
        first = next(iter(nets.values()), None)
        body = first.body if first else deeplab_resnet(1, body=backbone, output_stride=output_stride).body
        nets[name] = DenseResNet(body, one.body, one.head, body_name=backbone)
    return Connected(
        {name: as_stream(net) for name, net in nets.items()}, trunk="layer4", tasks=tasks, statistics=statistics
    )


@final
class DenseResNet(nn.Module):
    """One task's ResNet beside the shared one that it reads; see `dense_resnet`.

    body: the shared ResNet, one object for all tasks.  own: the task's.  merge: a 1x1 convolution for each of `PARTS`.
    """

    def __init__(self, body: nn.Module, own: nn.Module, head: nn.Module, *, body_name: str | None = None) -> None:
        super().__init__()
        notes: Any = own
        widths = [int(part["num_chs"]) for part in notes.feature_info]
        self.body = body
        self.own = own
        self.merge = nn.ModuleList(ConvReLU(2 * width, width, kernel_size=1, batch_norm=NORM) for width in widths)
        self.head = head
        self.body_name = body_name

    def forward(self, x: Tensor) -> Tensor:
        seen, shared = {}, x
        for name, paths in PARTS.items():
            for path in paths:
                shared = self.body.get_submodule(path)(shared)
            seen[name] = shared
        own = x
        for name in PARTS:
            own = self.beside(name, own, seen)
        return enlarged(self.head(own), x.shape[-2:])

    def beside(self, name: str, x: Tensor, seen: Mapping[str, Tensor]) -> Tensor:
        """The task's part `name` on its feature before (or the picture), with the shared feature of that place."""
        for path in PARTS[name]:
            x = self.own.get_submodule(path)(x)
        out: Tensor = self.merge[list(PARTS).index(name)](torch.cat([x, seen[name]], 1))
        return out


@final
@dataclass(frozen=True)
class _Beside:
    name: str

    def __call__(self, net: nn.Module, x: Tensor, memory: Memory) -> Tensor:
        assert isinstance(net, DenseResNet)
        return net.beside(self.name, memory["image"] if self.name == "stem" else x, memory)


@as_stream.register
def _(net: DenseResNet) -> Stream:
    """The shared ResNet's stages stem, layer1 ... layer4, the task's own_stem, own_layer1 ... own_layer4, and aspp."""
    stages: dict[str, Stage] = {name: tuple(f"body.{path}" for path in paths) for name, paths in PARTS.items()}
    for index, (name, paths) in enumerate(PARTS.items()):
        stages[f"own_{name}"] = Step(_Beside(name), (*(f"own.{path}" for path in paths), f"merge.{index}"))
    return enlarging_stream(net, stages)


load_pretrained.register(DenseResNet, load_pretrained_body)
