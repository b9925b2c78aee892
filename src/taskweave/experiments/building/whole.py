"""From a method whose network is built as one to that network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from taskweave.experiments.building.pets import build_pets
from taskweave.experiments.choices.network import DeepLabResNet, SegNetVGG16
from taskweave.experiments.choices.pets import PetChoice
from taskweave.experiments.choices.whole import MTAN, DenseSegNet, MTUNet, SplitSegNet, WholeChoice
from taskweave.images import ImageStatistics
from taskweave.networks.resnet.mtan_resnet import mtan_resnet
from taskweave.networks.segnet.dense_segnet import dense_segnet
from taskweave.networks.segnet.mtan_segnet import mtan_segnet
from taskweave.networks.segnet.split_segnet import split_segnet
from taskweave.networks.unet.mt_unet import mt_unet
from taskweave.tasks.task import Task
from taskweave.weaving.connected import Connected


def build_whole(choice: WholeChoice, tasks: Mapping[str, Task], statistics: ImageStatistics) -> Connected:
    """A method's network with a stream for each of `tasks`, random weights."""
    if isinstance(choice, PetChoice):
        return build_pets(choice, tasks, statistics)
    assert isinstance(choice, MTUNet | MTAN | DenseSegNet | SplitSegNet)
    outputs = {name: task.channels for name, task in tasks.items()}
    match choice:
        case MTUNet(network=unet):
            return mt_unet(
                outputs,
                cross_talk=choice.cross_talk,
                widths=unet.widths,
                decoder_widths=unet.decoder_widths,
                bottleneck=unet.bottleneck,
                dense=unet.dense,
                skip=unet.skip,
                upsampling=unet.upsampling,
                attention=unet.attention,
                dropout=unet.dropout,
                bn_eps=unet.bn_eps,
                tasks=tasks,
                statistics=statistics,
            )
        case MTAN():
            return _mtan(choice.network, tasks, statistics)
        case DenseSegNet(network=segnet):
            return dense_segnet(outputs, widths=segnet.widths, tasks=tasks, statistics=statistics)
        case SplitSegNet(network=segnet):
            return split_segnet(outputs, kind=choice.grown, widths=segnet.widths, tasks=tasks, statistics=statistics)
        case _:
            assert_never(choice)


def _mtan(network: SegNetVGG16 | DeepLabResNet, tasks: Mapping[str, Task], statistics: ImageStatistics) -> Connected:
    outputs = {name: task.channels for name, task in tasks.items()}
    if isinstance(network, SegNetVGG16):
        return mtan_segnet(outputs, widths=network.widths, tasks=tasks, statistics=statistics)
    return mtan_resnet(
        outputs,
        backbone=network.body,
        output_stride=network.output_stride,
        hidden=network.hidden,
        rates=network.rates,
        dropout=network.dropout,
        tasks=tasks,
        statistics=statistics,
    )
