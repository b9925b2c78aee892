"""MTAN on ResNet-DeepLab: one shared ResNet, and for every task attention blocks and a DeepLab head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from taskweave.images import IMAGENET, ImageStatistics
from taskweave.networks.resnet.stan_resnet import STANResNet, narrow_attention, stan_resnet
from taskweave.streams.convert import as_stream
from taskweave.weaving.connect import UnitFactory
from taskweave.weaving.connected import Connected, Decoder


def mtan_resnet(
    outputs: Mapping[str, int],
    *,
    backbone: str = "resnet50",
    output_stride: Literal[8, 16, 32] = 8,
    hidden: int = 256,
    rates: Sequence[int] | None = None,
    dropout: float = 0.0,
    attention: UnitFactory = narrow_attention,
    tasks: Mapping[str, Decoder] | None = None,
    statistics: ImageStatistics = IMAGENET,
) -> Connected:
    """A fresh MTAN on DeepLab v3; (B, 3, H, W) -> {task: (B, channels, H, W)}, any H and W.

    The ResNet is the trunk, f is shared too, and each task's stream goes on with attention blocks and a head of its own:
    `stan_resnet` with other tasks beside it. Every stream's network is such a STAN, whose `body` and `path` are the same
    objects for all tasks.
    Source: Liu et al., "End-to-end multi-task learning with attention" (CVPR 2019) and, for the ResNet, its public code.

    outputs: {task: channels of its output}.
    backbone, output_stride, hidden, rates, dropout, attention: as in `stan_resnet`.
    tasks, statistics: as in `Connected`.
    Weights: ``load_resnet(net.stream(task).net, ...)`` of any task loads the ResNet that all share.
    Size: 90,561,745 parameters for 13, 1 and 3 channels on resnet50.
    Raises ValueError for no task, and as `stan_resnet`.
    """
    nets: dict[str, STANResNet] = {}
    for name, channels in outputs.items():
        net = stan_resnet(
            channels,
            backbone=backbone,
            output_stride=output_stride,
            hidden=hidden,
            rates=rates,
            dropout=dropout,
            attention=attention,
        )
        first = next(iter(nets.values()), net)
        net.body, net.path = first.body, first.path
        nets[name] = net
    trunk = list(next(iter(nets.values())).trunk)[-1] if nets else None
    return Connected({name: as_stream(net) for name, net in nets.items()}, trunk=trunk, tasks=tasks, statistics=statistics)
