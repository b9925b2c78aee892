"""What methods build of: a run's networks as streams, and what their streams are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from taskweave.experiments.plan import Run
from taskweave.parts import Part
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Stream
from taskweave.tasks.task import Task
from taskweave.units.unit import Identity, Unit
from taskweave.weaving import Connected, connect


def streams_of(run: Run, tasks: Mapping[str, Task]) -> dict[str, Stream]:
    """A fresh network for each task of a run, as a stream; in the order of the tasks, which the random numbers follow."""
    return {name: as_stream(run.recipe.network_of(name)(tasks[name].channels)) for name in run.tasks}


def example_inputs(run: Run, tasks: Mapping[str, Task], example: Tensor, *, regions: int = 2) -> dict[str, Any]:
    """What the streams of a run are given for an example batch of images.

    Args:
        run: Its tasks are what is asked for.
        tasks: Those of the run at least.
        example: Images (B, 3, H, W).
        regions: Per image, where a network reads regions.
    """
    rois = None
    if any(run.recipe.network_of(name).fact("reads_regions") for name in run.tasks):
        height, width = example.shape[-2:]
        box = torch.tensor([[0.0, 0.0, width, height]]).to(example.device).expand(regions, 4)
        rois = [box] * len(example)
    return {name: tasks[name].network_input(example, None, rois) for name in run.tasks}


def side_by_side(
    run: Run, tasks: Mapping[str, Task], example: Tensor, shortcut: Part[Unit] | None, at: tuple[str, ...]
) -> Connected:
    """Networks that do not meet; each with its own shortcut where there is one.

    Args:
        run: Its tasks are the streams.
        tasks: Those of the run at least.
        example: Images (B, 3, H, W).
        shortcut: Gathers the features of `at` in front of the head (NDDR-CNN, section 4.4).
        at: The stages that it gathers.
    """
    streams = streams_of(run, tasks)
    if shortcut is None:
        return Connected(streams)
    inputs = example_inputs(run, tasks, example)
    return connect(streams, at=at, unit=Identity, example=inputs, gather=(shortcut,), prove=False)


def usual_stages(run_recipe: Any, tasks: Any) -> tuple[str, ...]:
    """Where networks usually meet.

    Raises:
        ValueError: Those of the tasks do not meet at the same stages.
    """
    found = {task: stages_of(run_recipe.network_of(task)) for task in tasks}
    if len(set(found.values())) > 1:
        raise ValueError(f"the networks of the tasks usually meet at different stages {found}: say where with `at`")
    return next(iter(found.values()))


def stages_of(network: Part[nn.Module]) -> tuple[str, ...]:
    """The usual stages of a network: what it states, else all stages of its stream."""
    stated = network.fact("usual_stages")
    if stated is not None:
        return tuple(stated)
    with torch.device("meta"):
        return tuple(as_stream(network(1)).stages)
