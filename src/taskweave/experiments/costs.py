"""How large a network is and what one picture costs: from shapes alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from taskweave.experiments.data import FileProposals, sets_of
from taskweave.experiments.methods.streams import example_inputs
from taskweave.experiments.plan import Run
from taskweave.experiments.prepare import grid_of
from taskweave.experiments.recipe import Recipe
from taskweave.streams.stream import evaluating
from taskweave.tasks.task import Task
from taskweave.weaving.connected import Connected


@final
@dataclass(frozen=True)
class Cost:
    """parameters: distinct numbers that the run, or those it begins with, trained.  flops: of one forward pass of one
    picture (a multiply-add is 2)."""

    parameters: int
    flops: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.parameters + other.parameters, self.flops + other.flops)


def cost_of(net: Connected, run: Run, recipe: Recipe, tasks: Mapping[str, Task], *, training: bool = False) -> Cost:
    """The cost of a run's network for one RGB picture of the size of a test, from shapes alone.

    training: forward for a picture of training instead, with the regions that are drawn there, which are far fewer.
    Of torchvision's detectors body, pyramid and heads on it are counted; what each found region costs is not.
    """
    parameters = sum(p.numel() for p in net.parameters())
    _leave_boxes_out(net)
    size = recipe.data.training_size if training else recipe.data.picture_size
    example = torch.empty(1, 3, *size, device="meta")
    inputs = example_inputs(run, tasks, example, regions=regions_of(recipe, training=training))
    return Cost(parameters, _flops(net, inputs, run.measured or run.trained))


def _leave_boxes_out(net: Connected) -> None:
    """Boxes cannot be chosen without values."""
    from taskweave.streams.torchvision import DetectOnce, DetectTwice, RawHeads

    for stream in (net.stream(name) for name in net.streams):
        if isinstance(stream.exit, DetectOnce | DetectTwice):
            stream.exit = RawHeads(stream.exit.pyramid)


def regions_of(recipe: Recipe, *, training: bool = False) -> int:
    """How many regions a network looks at in a picture of a test, or of training; 0 where none."""
    data = next(iter(sets_of(recipe.data).values()))
    if data.regions is None:
        return 0
    if training:
        return data.regions.count
    proposals = data.regions.proposals
    return proposals.expected if isinstance(proposals, FileProposals) else len(grid_of(proposals, data.picture_size))


def _flops(net: nn.Module, inputs: Any, tasks: Collection[str]) -> int:
    with evaluating(net), torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(inputs, tasks)
    return int(counter.get_total_flops())


def training_inputs(run: Run, recipe: Recipe, tasks: Mapping[str, Task], x: Tensor) -> Any:
    """What the streams of a run are given for a batch of images in training, with a box per image where they want some."""
    regions = next(iter(sets_of(recipe.data).values())).regions
    height, width = x.shape[-2:]
    box = torch.tensor([[0.0, 0.0, width, height]], device=x.device)
    rois = None if regions is None else [box.expand(regions.count, 4)] * len(x)
    one = {"boxes": box, "labels": torch.ones(1, dtype=torch.int64, device=x.device)}
    return {
        name: tasks[name].network_input(x, [one] * len(x) if tasks[name].reads_targets else None, rois)
        for name in run.tasks
    }
