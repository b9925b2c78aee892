"""From a method whose network is built as one to that network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from taskweave.experiments.building.pets import build_pets
from taskweave.experiments.building.plain import deeplab_on_resnet, unet_of
from taskweave.experiments.choices.network import SegNetVGG16
from taskweave.experiments.choices.pets import PetChoice
from taskweave.experiments.choices.whole import MTAN, DenseSegNet, MTUNet, SplitSegNet, WholeChoice
from taskweave.networks.resnet.mtan_resnet import mtan_resnet
from taskweave.networks.segnet.baselines import dense_segnet, split_segnet
from taskweave.networks.segnet.mtan_segnet import mtan_segnet
from taskweave.networks.unet.mt_unet import mt_unet
from taskweave.tasks.task import Task
from taskweave.weaving.connected import Connected


def build_whole(choice: WholeChoice, tasks: Mapping[str, Task]) -> Connected:
    """A method's network with a stream for each of `tasks`, random weights."""
    if isinstance(choice, PetChoice):
        return build_pets(choice, tasks)
    assert isinstance(choice, MTUNet | MTAN | DenseSegNet | SplitSegNet)
    outputs = {name: task.channels for name, task in tasks.items()}
    match choice:
        case MTUNet():
            return mt_unet(outputs, network=unet_of(choice.network), cross_talk=choice.cross_talk)
        case MTAN():
            if isinstance(choice.network, SegNetVGG16):
                return mtan_segnet(outputs, widths=choice.network.widths)
            return mtan_resnet(outputs, network=deeplab_on_resnet(choice.network))
        case DenseSegNet():
            return dense_segnet(outputs, widths=choice.network.widths)
        case SplitSegNet():
            return split_segnet(outputs, grown=choice.grown, widths=choice.network.widths)
        case _:
            assert_never(choice)
