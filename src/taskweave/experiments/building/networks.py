"""From a run to its network, with random weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from taskweave.experiments.building.plain import body_end, build_plain, places_of
from taskweave.experiments.building.units import gathered_by, identity, unit_of
from taskweave.experiments.building.whole import build_whole
from taskweave.experiments.choices.agreement import reads_regions
from taskweave.experiments.choices.method import (
    ConnectedTrainedOnOneTask,
    ConnectingChoice,
    Method,
    Shared,
    SharedLatent,
)
from taskweave.experiments.choices.network import OneNetwork, network_of
from taskweave.experiments.choices.whole import WholeChoice
from taskweave.experiments.plan import Run
from taskweave.experiments.pretraining import pretraining_network
from taskweave.experiments.recipe import usual_places
from taskweave.streams.convert import as_stream
from taskweave.tasks.task import Task
from taskweave.weaving.connect import connect
from taskweave.weaving.connected import Connected
from taskweave.weaving.latent import share_latent
from taskweave.weaving.share import share


def build_network(run: Run, tasks: Mapping[str, Task], example: Tensor) -> Connected:
    """The network of a run: its streams, connected as its method says. Random weights, on the default device.

    tasks: those of the run at least.  example: an image batch of the size to train at.
    Raises ValueError for a stage that does not exist, with the list of stages.
    """
    r, decoders = run.recipe, {name: tasks[name] for name in run.tasks}
    if isinstance(run.method, WholeChoice):
        return build_whole(run.method, decoders)
    networks = {name: build_plain(_network(run, name), tasks[name], detection=r.tasks.detection) for name in run.tasks}
    streams = {name: as_stream(network) for name, network in networks.items()}
    method = run.method
    if method is None:
        until = body_end(pretraining_network(r.network))
        return share(streams, until=until)
    if isinstance(method, SharedLatent):
        return share_latent(streams, rank=method.rank, layers=_paired(run))
    gather, inputs = gathered_by(method), example_inputs(run, tasks, example)
    if isinstance(method, Shared):
        return share(
            streams,
            until=method.until,
            at=_places(run, method) if gather else (),
            example=inputs,
            gather=gather,
        )
    connecting = method.connected if isinstance(method, ConnectedTrainedOnOneTask) else method
    connects = isinstance(connecting, ConnectingChoice)
    if not connects and not gather:
        return Connected(streams)
    return connect(
        streams,
        at=_places(run, method),
        unit=unit_of(connecting, list(streams)) if isinstance(connecting, ConnectingChoice) else identity(),
        example=inputs,
        gather=gather,
        prove=False,  # the networks' own tests prove every stream; here it would cost a forward pass per stream and run
    )


def example_inputs(run: Run, tasks: Mapping[str, Task], example: Tensor, *, regions: int = 2) -> Any:
    """What the streams of a run are given for an example image batch. regions: per image, where a network reads regions."""
    if not any(reads_regions(_network(run, name)) for name in run.tasks):
        return {name: tasks[name].network_input(example, None, None) for name in run.tasks}
    height, width = example.shape[-2:]
    whole = torch.tensor([[0.0, 0.0, width, height]]).to(example.device).expand(regions, 4)
    rois = [whole] * len(example)
    return {name: tasks[name].network_input(example, None, rois) for name in run.tasks}


def _paired(run: Run) -> dict[str, tuple[str, ...]] | None:
    """Which last layers a shared latent matrix joins: of Fast R-CNNs the scores, since attributes have no boxes."""
    if not all(reads_regions(_network(run, name)) for name in run.tasks):
        return None
    return dict.fromkeys(run.tasks, ("head.logits",))


def _network(run: Run, task: str) -> OneNetwork:
    network = run.recipe.network
    return pretraining_network(network) if run.role == "start" else network_of(network, task)


def _places(run: Run, method: Method) -> tuple[str, ...]:
    inner = method.connected if isinstance(method, ConnectedTrainedOnOneTask) else method
    own = method.shortcut.places if method.shortcut is not None else ()
    return own or usual_places(inner, run.recipe) or places_of(run.recipe.network)
