"""What all runs of a recipe work on: its data, tasks, and an example; opened once, when first wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import final

import torch
from torch import Tensor, nn

from taskweave.data import LabelledSet
from taskweave.experiments.columns import Column
from taskweave.experiments.costs import Cost, cost_of
from taskweave.experiments.data import Source, sets_of
from taskweave.experiments.methods.method import connected
from taskweave.experiments.plan import Run
from taskweave.experiments.prepare import Parts, open_parts, prepared
from taskweave.experiments.recipe import Recipe
from taskweave.progress import Progress, Silent
from taskweave.tasks.task import Labels, Task


@final
class Bench:
    """The workplace of a recipe's runs. progress: told when pictures are rendered or read into memory."""

    def __init__(self, recipe: Recipe, progress: Progress | None = None) -> None:
        self.recipe = recipe
        self.progress = progress or Silent()
        self._before: dict[str, Bench] = {}

    @cached_property
    def sets(self) -> dict[str, Parts]:
        """The parts of every data set, by name."""
        tasks = tuple(self.recipe.tasks)
        return {name: open_parts(one, tasks, self.progress) for name, one in sets_of(self.recipe.data).items()}

    @cached_property
    def further(self) -> dict[str, LabelledSet]:
        """The parts that further tests read, by name."""
        tasks, tests = tuple(self.recipe.tasks), self.recipe.further_tests
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

    def source(self, column: Column) -> Source:
        """The data that a column is measured on."""
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
        return _tasks(self.recipe, {name: parts.train for name, parts in self.sets.items()})

    @cached_property
    def shapes_only(self) -> dict[str, Task]:
        """The tasks as far as they can be had without data: their channels, to build networks with."""
        return _tasks(self.recipe, None)

    def example(self, device: str = "cpu") -> Tensor:
        """A batch of one image of the size to train at."""
        return torch.zeros(1, 3, *self.recipe.data.training_size, device=device)

    def for_run(self, run: Run) -> Bench:
        """Where a run works: here, or, where fresh networks start from a training on other data, at that."""
        if not run.first:
            return self
        return self._before.setdefault(run.digest, Bench(run.recipe, self.progress))

    def build(self, run: Run, *, shapes_only: bool = False) -> nn.Module:
        """A run's network, with random weights."""
        here = self.for_run(run)
        return run.method.build(run, here.shapes_only if shapes_only else here.tasks, here.example())

    def cost(self, run: Run, *, training: bool = False) -> Cost:
        """Parameters and operations of a run's network, from shapes alone. Nothing is read and no weight is made.

        training: for a picture of training, which may be of another size and has fewer regions than one of a test.
        """
        if run.schedule == "none" and run.parents:
            costs = [self.cost(member, training=training) for member in run.parents]
            return sum(costs[1:], costs[0])
        bench = self.for_run(run)
        tasks = bench.shapes_only  # made here: a loss checks its weights, which have no values on the meta device
        with torch.device("meta"):
            net = run.method.build(run, tasks, bench.example("meta"))
        return cost_of(connected(net), run, bench.recipe, tasks, training=training)


def _tasks(recipe: Recipe, train: Mapping[str, LabelledSet] | None) -> dict[str, Task]:
    """{name: task}, with the facts of its labels. train: what class weights and codebooks are counted on."""
    made = {}
    for name, entry in recipe.tasks.items():
        sets = {key: one for key, one in sets_of(recipe.data).items() if one.labelled_for([name])}
        facts = next(iter(sets.values())).facts
        labels = Labels(
            names=facts.of(name),
            far=facts.far,
            statistics=recipe.data.image_statistics,
            targets=None if train is None else _Targets([train[key] for key in sets], name),
        )
        made[name] = entry.task(labels)
    return made


class _Targets:
    """A task's targets over some train parts, read anew for everyone who asks."""

    def __init__(self, parts: list[LabelledSet], task: str) -> None:
        self.parts = parts
        self.task = task

    def __call__(self) -> Iterator[object]:
        for part in self.parts:
            for index in range(len(part)):
                target = part[index].get(self.task)
                if target is not None:
                    yield target
