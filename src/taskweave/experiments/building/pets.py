"""From the pet paper's choices to its networks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

from torch import nn

from taskweave.experiments.choices.pet_net import PetNet
from taskweave.experiments.choices.pets import PetAuxiliaries, PetChoice, PetOEQ, PetSegNet
from taskweave.images import ImageStatistics
from taskweave.networks.pets.pet_nets import pet_map_net, pet_numbers_net
from taskweave.networks.pets.pet_oeq import pet_auxiliaries, pet_oeq
from taskweave.networks.pets.pet_segnet import one_matrix, pet_segnet, published_start
from taskweave.tasks.task import Task
from taskweave.units.cross_stitch import CrossStitch
from taskweave.units.unit import Unit
from taskweave.weaving.connect import UnitFactory
from taskweave.weaving.connected import Connected


def build_pet_net(choice: PetNet, task: Task) -> nn.Module:
    """One task's network: with a decoder for a dense task, else with a head for numbers."""
    if task.dense:
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


def build_pets(choice: PetChoice, tasks: Mapping[str, Task], statistics: ImageStatistics) -> Connected:
    """A method's network with a stream for each of `tasks`, its branches in order; random weights."""
    assert isinstance(choice, PetSegNet | PetAuxiliaries | PetOEQ)
    net, outputs = choice.network, {name: task.channels for name, task in tasks.items()}
    common: dict[str, Any] = {
        "stem_kernel": net.stem_kernel,
        "batch_statistics": net.batch_statistics,
        "width": net.width,
        "hidden": net.hidden,
        "tasks": tasks,
        "statistics": statistics,
    }
    match choice:
        case PetSegNet():
            return pet_segnet(
                choice.branches, outputs=outputs, unit=_unit(choice), stem=choice.stem, sigmoid=net.sigmoid, **common
            )
        case PetOEQ():
            return pet_oeq(
                choice.branches,
                outputs=outputs,
                frozen=choice.frozen,
                sigmoid=net.sigmoid,
                unused_matrix=choice.unused_matrix,
                **common,
            )
        case PetAuxiliaries():
            return pet_auxiliaries(choice.branches, outputs=outputs, unused_matrix=choice.unused_matrix, **common)


def _unit(choice: PetSegNet) -> UnitFactory | Unit:
    count = len(choice.branches)
    matrix = published_start(choice.branches) if choice.initial == "published" else None
    if choice.stitch == "one":
        return one_matrix(count, self_weight=choice.self_weight, matrix=matrix) if count > 1 else CrossStitch
    per: Literal["channel", "layer"] = "channel" if choice.stitch == "per_channel" else "layer"
    return partial(CrossStitch, self_weight=choice.self_weight, matrix=matrix, per=per)
