"""From the pet paper's choices to its networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from taskweave.experiments.choices.pet_net import PetNet
from taskweave.experiments.choices.pets import PetAuxiliaries, PetChoice, PetOEQ, PetSegNet
from taskweave.networks.pets.pet_nets import pet_map_net, pet_numbers_net
from taskweave.networks.pets.pet_oeq import pet_auxiliaries, pet_oeq
from taskweave.networks.pets.pet_segnet import pet_segnet
from taskweave.tasks.depth import Depth
from taskweave.tasks.normal_codebook import NormalsByCodebook
from taskweave.tasks.normals import Normals
from taskweave.tasks.segmentation import Segmentation
from taskweave.tasks.task import Task
from taskweave.weaving.connected import Connected

_DENSE = (Segmentation, Depth, Normals, NormalsByCodebook)


def build_pet_net(choice: PetNet, task: Task) -> nn.Module:
    """One task's network: with a decoder for a dense task, else with a head for numbers."""
    if isinstance(task, _DENSE):
        return pet_map_net(
            task.channels,
            width=choice.width,
            stem_kernel=choice.stem_kernel,
            sigmoid=choice.sigmoid,
            batch_statistics=choice.batch_statistics,
        )
    return pet_numbers_net(
        task.channels,
        width=choice.width,
        hidden=choice.hidden,
        stem_kernel=choice.stem_kernel,
        batch_statistics=choice.batch_statistics,
    )


def build_pets(choice: PetChoice, tasks: Mapping[str, Task]) -> Connected:
    """A method's network with a stream for each of `tasks`, its branches in order; random weights."""
    assert isinstance(choice, PetSegNet | PetAuxiliaries | PetOEQ)
    net, outputs = choice.network, {name: task.channels for name, task in tasks.items()}
    common: dict[str, Any] = {
        "branches": choice.branches,
        "stem_kernel": net.stem_kernel,
        "batch_statistics": net.batch_statistics,
        "width": net.width,
        "hidden": net.hidden,
    }
    match choice:
        case PetSegNet():
            return pet_segnet(
                outputs,
                stem=choice.stem,
                stitch=choice.stitch,
                initial=choice.initial,
                self_weight=choice.self_weight,
                sigmoid=net.sigmoid,
                **common,
            )
        case PetOEQ():
            return pet_oeq(outputs, frozen=choice.frozen, sigmoid=net.sigmoid, unused_matrix=choice.unused_matrix, **common)
        case PetAuxiliaries():
            return pet_auxiliaries(outputs, unused_matrix=choice.unused_matrix, **common)
