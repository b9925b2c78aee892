"""Made-up batches, to time a training step with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from taskweave.experiments.choices.mixture import sets_of
from taskweave.experiments.plan import Run
from taskweave.experiments.recipe import Recipe
from taskweave.tasks.task import Task


def training_inputs(run: Run, recipe: Recipe, tasks: Mapping[str, Task], x: Tensor) -> Any:
    """What the streams of a run are given for a batch of images in training, with a box per image where they want some."""
    regions = next(iter(sets_of(recipe.data).values())).regions
    height, width = x.shape[-2:]
    box = torch.tensor([[0.0, 0.0, width, height]], device=x.device)
    rois = None if regions is None else [box.expand(regions.count, 4)] * len(x)
    one = {"boxes": box, "labels": torch.ones(1, dtype=torch.int64, device=x.device)}
    wants_boxes = {name for name, task in tasks.items() if task.reads_targets}
    return {name: tasks[name].network_input(x, [one] * len(x) if name in wants_boxes else None, rois) for name in run.tasks}
