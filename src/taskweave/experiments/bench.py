"""What all runs of a recipe work on: its data, tasks, and an example; opened once, when first wanted."""

from __future__ import annotations

from functools import cached_property
from typing import final

import torch
from torch import Tensor

from taskweave.data.dataset import LabelledSet
from taskweave.experiments.building.data import Parts, open_parts, prepared
from taskweave.experiments.building.measures import Cost, cost_of
from taskweave.experiments.building.networks import build_network
from taskweave.experiments.building.tasks import build_tasks
from taskweave.experiments.choices.mixture import OneSet, sets_of
from taskweave.experiments.columns import Column
from taskweave.experiments.plan import Run
from taskweave.experiments.pretraining import pretraining
from taskweave.experiments.recipe import Recipe
from taskweave.progress import Progress, Silent
from taskweave.tasks.task import Task


@final
class Bench:
    """The workplace of a recipe's runs. progress: told when pictures are rendered or read into memory."""

    def __init__(self, recipe: Recipe, progress: Progress | None = None) -> None:
        self.recipe = recipe
        self.progress = progress or Silent()
        self._starts: dict[str, Bench] = {}

    @cached_property
    def sets(self) -> dict[str, Parts]:
        """The parts of every data set, by name."""
        tasks = tuple(self.recipe.tasks.chosen)
        return {name: open_parts(one, tasks, self.progress) for name, one in sets_of(self.recipe.data).items()}

    @cached_property
    def further(self) -> dict[str, LabelledSet]:
        """The parts that further tests read, by name."""
        tasks, tests = tuple(self.recipe.tasks.chosen), self.recipe.further_tests
        return {name: prepared(test.data, test.part, tasks, self.progress) for name, test in tests.items()}

    def open(self) -> None:
        """Open the data now, so that a folder that is not there is told before anything trains."""
        _ = self.sets, self.further

    @property
    def images(self) -> dict[str, int]:
        """{part: how many pictures it has} of the data, with the data set's name where there are several; opens them."""
        found: dict[str, int] = {}
        for name, parts in self.sets.items():
            beside = f"{name} " if len(self.sets) > 1 else ""
            every = {"train": parts.train, "validation": parts.validation, "test": parts.test}
            found |= {f"{beside}{part}": len(one) for part, one in every.items() if one is not None}
        return found | {name: len(one) for name, one in self.further.items()}

    def choice(self, column: Column) -> OneSet:
        """The choice of the data that a column is measured on."""
        r = self.recipe
        return r.further_tests[column.data].data if column.further else sets_of(r.data)[column.data]

    def test(self, column: Column) -> LabelledSet:
        """The raw samples that a column is measured on."""
        if column.further:
            return self.further[column.data]
        parts = self.sets[column.data]
        found = {"test": parts.test, "train": parts.train, "validation": parts.validation}[column.part]
        assert found is not None, "the recipe refuses a validation part that is not there"
        return found

    @cached_property
    def tasks(self) -> dict[str, Task]:
        return build_tasks(self.recipe, {name: parts.train for name, parts in self.sets.items()})

    @cached_property
    def shapes_only(self) -> dict[str, Task]:
        """The tasks as far as they can be had without data: their channels, to build networks with."""
        return build_tasks(self.recipe, None)

    def example(self, device: str = "cpu") -> Tensor:
        """A batch of one image of the size to train at."""
        return torch.zeros(1, 3, *self.recipe.data.training_size, device=device)

    def for_run(self, run: Run) -> Bench:
        """Where a run works: here, or, for a common start, at its pre-training on scenes."""
        if run.role != "start":
            return self
        return self._starts.setdefault(run.digest, Bench(pretraining(run.recipe), self.progress))

    def cost(self, run: Run, *, training: bool = False) -> Cost:
        """Parameters and operations of a run's network, from shapes alone. Nothing is read and no weight is made.

        training: for a picture of training, which may be of another size and has fewer regions than one of a test.
        """
        if run.role == "ensemble":
            costs = [self.cost(member, training=training) for member in run.parents]
            return sum(costs[1:], costs[0])
        bench = self.for_run(run)
        tasks = bench.shapes_only  # made here: a loss checks its weights, which have no values on the meta device
        with torch.device("meta"):
            net = build_network(run, tasks, bench.example("meta"))
        return cost_of(net, run, bench.recipe, tasks, training=training)
