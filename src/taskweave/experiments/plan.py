"""Expand a recipe into training runs. Runs with equal settings share one hash and are trained once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, final

from taskweave.experiments.data import ONLY, MixtureOf, Source, made_by
from taskweave.experiments.fingerprint import digest_of, fingerprint
from taskweave.parts import Part
from taskweave.training import TrainingOptions
from taskweave.training.speed import settle
from taskweave.weighting.weighting import Weighting

if TYPE_CHECKING:
    from taskweave.experiments.methods.method import Method
    from taskweave.experiments.methods.row import Row
    from taskweave.experiments.recipe import Recipe

FORMAT = 2
"""Raised by one when the same recipe would train differently: older runs are then not taken for new ones."""

Schedule = Literal["single", "trained_on", "joint", "connected", "none"]
"""Which of a recipe's training options apply; "none" for what is not trained."""


@final
@dataclass(frozen=True)
class Run:
    """One training of one network with one seed.

    recipe: With the row's networks and start.  row: What is built.  schedule: How it is trained.
    tasks: The streams of the network.  trained: Those whose losses count.  measured: Those whose metrics it has.
    parents: The runs whose weights it begins with; for an ensemble, its members.
    first: Whether it is what fresh networks start from; it is trained on other data and not measured.
    """

    recipe: Recipe
    row: Row
    schedule: Schedule
    tasks: tuple[str, ...]
    trained: tuple[str, ...]
    seed: int
    parents: tuple[Run, ...] = ()
    measured: tuple[str, ...] = field(default=())
    first: bool = False

    def __post_init__(self) -> None:
        if not self.measured and not self.first:
            object.__setattr__(self, "measured", self.trained)

    @property
    def method(self) -> Method:
        return self.row.made

    @property
    def title(self) -> str:
        """For people: what this run is."""
        if self.first:
            return "bodies pre-trained on scenes"
        some = len(self.trained) < len(self.recipe.tasks)
        return f"{self.row.title}{' ' + ', '.join(self.trained) if some else ''}, seed {self.seed}"

    @property
    def options(self) -> TrainingOptions | None:
        """How it is trained; None for what is not."""
        options = self.recipe.training.options(self.schedule, self.trained[0])
        return None if options is None else self._for_a_mixture(self.method.options(options))

    def _for_a_mixture(self, options: TrainingOptions) -> TrainingOptions:
        """The steps that give every task of this run as many images as in the recipe's other methods.

        A step of a mixture is one of its sets' turns. Every set counts for the same share of turns, also under schedules
        that draw by size.
        """
        data, t = self.recipe.data, self.recipe.training
        if len(self.sets) == 1 and options.batch_norm == "per_data_set":
            options = options.model_copy(update={"batch_norm": "shared"})  # it is the one data set's own
        if not isinstance(data, MixtureOf):
            return options
        share = len(self.sets) / len(data.sets)
        if self.schedule in ("trained_on", "connected") and share < 1:
            return options.model_copy(update={"steps": max(1, round(options.steps * share))})
        if self.schedule == "joint" and t.joint is None:
            return options.model_copy(update={"steps": t.single.steps * len(data.sets) + t.connected.steps})
        return options

    @property
    def sets(self) -> dict[str, Source]:
        """The data sets that it is trained and tested on, by name: those labelled for a task that it is trained for."""
        data = self.recipe.data
        if not isinstance(data, MixtureOf):
            return {ONLY: data}
        return {name: one for name, one in data.sets.items() if one.labelled_for(self.trained)}

    @property
    def weights(self) -> dict[str, float]:
        """The factor of each trained task's loss."""
        tasks, alone = self.recipe.tasks, self.schedule in ("single", "trained_on")
        return {task: tasks[task].single_weight if alone else tasks[task].weight for task in self.trained}

    @property
    def weighting(self) -> Part[Weighting] | None:
        """What weighs the tasks of this network instead of `weights`; None where `weights` do."""
        return self.row.weighting if len(self.trained) > 1 else None

    @property
    def steps(self) -> int:
        """Steps of this training alone."""
        return self.options.steps if self.options is not None else 0

    @property
    def steps_in_all(self) -> int:
        """Steps behind one network of this run since the common start."""
        behind = [parent.steps_in_all for parent in self.parents if not parent.first]
        return self.steps + max(behind, default=0)

    @cached_property
    def content(self) -> dict[str, Any]:
        """Everything that determines this run's weights and metrics, as JSON values, and nothing else."""
        r = self.recipe
        return {
            "format": FORMAT,
            "schedule": self.schedule,
            "networks": {task: r.network_of(task).identity() for task in self.tasks},
            "data": self._data_content(),
            "made_by": made_by(self.sets, self.trained),
            "tasks": {task: r.tasks[task].without_weights() for task in self.tasks},
            "trained": list(self.trained),
            "weights": self.weights,
            "weighting": None if self.weighting is None else self.weighting.identity(),
            "start": {**r.start.identity(), **_held(r.start)},
            "method": self.row.method.identity(),
            "at": list(self.method.stages(r) or ()),
            "options": None if self.options is None else settle(self.options).determining(),
            "seed": self.seed,
            "parents": [parent.digest for parent in self.parents],
        }

    @cached_property
    def digest(self) -> str:
        return digest_of(self.content)

    def _data_content(self) -> dict[str, Any]:
        """One data set alone counts as if it were no part of a mixture, so that its runs are shared with other recipes."""
        data, sets = self.recipe.data, self.sets
        held = {name: {**one.identity(), **_held(one.dataset)} for name, one in sets.items()}
        if len(sets) == 1 or not isinstance(data, MixtureOf):
            return next(iter(held.values()))
        return {**data.identity(without={"sets"}), "sets": [[name, one] for name, one in held.items()]}

    def with_parents(self) -> Iterator[Run]:
        """Every run that this one needs, before what needs it, then this."""
        for parent in self.parents:
            yield from parent.with_parents()
        yield self


def _held(part: Part[Any]) -> dict[str, str | None]:
    """What lies where a part's paths point: another file of the same name is another start, other data other runs."""
    if (stated := part.fact("holds")) is not None:
        return {"holds": stated}
    paths = {name: value for name, value in part.options.items() if isinstance(value, Path)}
    return {f"{name} holds": fingerprint(path) for name, path in paths.items()}


@final
@dataclass(frozen=True)
class Entry:
    """One row of the table: a method, a seed and the runs whose metrics it joins (one, or one per task)."""

    row: Row
    seed: int
    runs: tuple[Run, ...]


def entries(recipe: Recipe) -> tuple[Entry, ...]:
    """Every row, seed by seed, so that an interrupted comparison holds whole seeds first."""
    return tuple(Entry(row, seed, row.runs(recipe, seed)) for seed in recipe.seeds for row in recipe.rows)


def all_runs(rows: Sequence[Entry]) -> tuple[Run, ...]:
    """Every different run of the rows, each after the runs it needs."""
    found: dict[str, Run] = {}
    for entry in rows:
        for run in entry.runs:
            for needed in run.with_parents():
                found.setdefault(needed.digest, needed)
    return tuple(found.values())


def first_of(recipe: Recipe) -> tuple[Run, ...]:
    """What must be trained before fresh networks of a recipe can start; () where nothing must."""
    trained_first = recipe.start.fact("trained_first")
    if trained_first is None:
        return ()
    before: Recipe = trained_first(recipe)
    (row,), tasks = before.methods, tuple(before.tasks)
    return (Run(before, row, "joint", tasks, tasks, before.seeds[0], first=True),)
