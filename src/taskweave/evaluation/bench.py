"""What all runs of a recipe work on: its data, tasks, and an example; opened once, when first wanted."""

from __future__ import annotations

from functools import cached_property
from typing import final

import torch
from torch import Tensor

from taskweave.evaluation.building.data import Parts, class_names_of, open_parts
from taskweave.evaluation.building.measures import Cost, cost_of
from taskweave.evaluation.building.networks import build_network
from taskweave.evaluation.building.tasks import build_tasks
from taskweave.evaluation.choices.data import ScenesData
from taskweave.evaluation.choices.start import PretrainedOnScenes
from taskweave.evaluation.choices.task import DepthTask, NormalsTask, SegmentationTask, Tasks
from taskweave.evaluation.planning import Run
from taskweave.evaluation.recipe import Recipe
from taskweave.tasks.task import Task
from taskweave.training.progress import Progress, Silent


@final
class Bench:
    """The workplace of a recipe's runs. progress: told when pictures are rendered or read into memory."""

    def __init__(self, recipe: Recipe, progress: Progress | None = None) -> None:
        self.recipe = recipe
        self.progress = progress or Silent()

    @cached_property
    def parts(self) -> Parts:
        return open_parts(self.recipe.data, tuple(self.recipe.tasks.chosen), self.progress)

    def open(self) -> None:
        """Open the data now, so that a folder that is not there is told before anything trains."""
        _ = self.parts

    @cached_property
    def tasks(self) -> dict[str, Task]:
        return build_tasks(self.recipe.tasks, class_names_of(self.recipe.data), self.parts.train)

    @cached_property
    def shapes_only(self) -> dict[str, Task]:
        """The tasks as far as they can be had without data: their channels, to build networks with."""
        return build_tasks(self.recipe.tasks, class_names_of(self.recipe.data), None)

    @cached_property
    def start(self) -> Bench:
        """The workplace of the pre-training on scenes."""
        return Bench(pretraining(self.recipe), self.progress)

    def example(self, device: str = "cpu") -> Tensor:
        """A batch of one image of the size to train at."""
        return torch.zeros(1, 3, *self.recipe.data.training_size, device=device)

    def for_run(self, run: Run) -> Bench:
        return self.start if run.role == "start" else self

    def cost(self, run: Run) -> Cost:
        """Parameters and operations of a run's network, from shapes alone. Nothing is read and no weight is made."""
        if run.role == "ensemble":
            costs = [self.cost(member) for member in run.parents]
            return sum(costs[1:], costs[0])
        bench = self.for_run(run)
        tasks = bench.shapes_only  # made here: a loss checks its weights, which have no values on the meta device
        with torch.device("meta"):
            net = build_network(run, tasks, bench.example("meta"))
        return cost_of(net, bench.recipe.data.picture_size, run.trained)


def pretraining(recipe: Recipe) -> Recipe:
    """The recipe of the pre-training on scenes: the same network, all tasks, generated data."""
    start = recipe.start
    assert isinstance(start, PretrainedOnScenes)
    data = ScenesData(size=start.size, train=start.images, test=1, seed=start.seed, augmentation=start.augmentation)
    tasks = Tasks(segmentation=SegmentationTask(), depth=DepthTask(), normals=NormalsTask())
    return recipe.model_copy(update={"data": data, "tasks": tasks, "name": f"{recipe.name}: start"})
