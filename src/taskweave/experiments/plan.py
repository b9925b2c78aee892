"""From a recipe to its runs: each training once, known by the hash of all that determines it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, final

from taskweave.experiments.choices.data import ScenesData
from taskweave.experiments.choices.method import (
    ConnectedTrainedOnOneTask,
    ConnectingChoice,
    Ensemble,
    Method,
    Shared,
    SharedLatent,
    Single,
    SingleTrainedOn,
)
from taskweave.experiments.choices.methodchoice import ShortcutOptions
from taskweave.experiments.choices.mixture import ONLY, MixtureData, OneSet
from taskweave.experiments.choices.network import PerTask, network_of
from taskweave.experiments.choices.pets import PetAuxiliaries, PetChoice, PetOEQ
from taskweave.experiments.choices.start import FromFile, PretrainedOnScenes
from taskweave.experiments.choices.whole import WholeChoice
from taskweave.experiments.fingerprint import fingerprint
from taskweave.experiments.pretraining import TASKS, pretraining_network
from taskweave.experiments.recipe import Recipe, digest_of, usual_places
from taskweave.experiments.versions import versions_of
from taskweave.parts import Part
from taskweave.training.options import TrainingOptions
from taskweave.training.speed import settle
from taskweave.weighting import Weighting

FORMAT = 1
"""Raised by one when the same recipe would train differently: older runs are then not taken for new ones."""

Role = Literal["start", "single", "trained_on", "ensemble", "joint", "connected"]


@final
@dataclass(frozen=True)
class Run:
    """One training of one network with one seed.

    tasks: the streams of the network.  trained: those whose losses count.
    method: what is built; None for the start that all share.
    parents: the runs whose weights it begins with; for an ensemble, its members.
    """

    recipe: Recipe
    role: Role
    tasks: tuple[str, ...]
    trained: tuple[str, ...]
    seed: int
    method: Method | None
    parents: tuple[Run, ...] = ()

    @property
    def title(self) -> str:
        """For people: what this run is."""
        if self.method is None:
            return "bodies pre-trained on scenes"
        some = len(self.trained) < len(self.recipe.tasks.chosen)
        return f"{self.method.title}{' ' + ', '.join(self.trained) if some else ''}, seed {self.seed}"

    @property
    def options(self) -> TrainingOptions | None:
        """How it is trained; None for an ensemble, which is not, and for the start, which has options of its own."""
        t = self.recipe.training
        single = t.of_single(self.trained[0])
        by_role = {"single": single, "trained_on": t.of_trained_on, "joint": t.of_joint, "connected": t.connected}
        options = by_role.get(self.role)
        method = self.method.connected if isinstance(self.method, ConnectedTrainedOnOneTask) else self.method
        if options is not None and isinstance(method, ConnectingChoice) and method.lr_multiplier is not None:
            options = options.model_copy(update={"connection_lr": method.lr_multiplier})
        if options is not None and isinstance(method, PetAuxiliaries) and method.steps is not None:
            options = options.model_copy(update={"steps": method.steps})
        return None if options is None else self._for_a_mixture(options)

    def _for_a_mixture(self, options: TrainingOptions) -> TrainingOptions:
        """The steps that give every task of this run as many images as in the recipe's other methods.

        A step of a mixture is one of its sets' turns. Every set counts for the same share of turns, also under schedules
        that draw by size.
        """
        data, t = self.recipe.data, self.recipe.training
        if len(self.sets) == 1 and options.batch_norm == "per_data_set":
            options = options.model_copy(update={"batch_norm": "shared"})  # it is the one data set's own
        if not isinstance(data, MixtureData):
            return options
        share = len(self.sets) / len(data.sets)
        if self.role in ("trained_on", "connected") and share < 1:
            return options.model_copy(update={"steps": max(1, round(options.steps * share))})
        if self.role == "joint" and t.joint is None:
            return options.model_copy(update={"steps": t.single.steps * len(data.sets) + t.connected.steps})
        return options

    @property
    def sets(self) -> dict[str, OneSet]:
        """The data sets that it is trained and tested on, by name: those labelled for a task that it is trained for."""
        data = self.recipe.data
        if not isinstance(data, MixtureData):
            return {ONLY: data}
        return {name: one for name, one in data.sets.items() if one.labelled_for(self.trained)}

    @property
    def measured(self) -> tuple[str, ...]:
        """The tasks whose metrics it has: those trained and, of an OEQ, those of its frozen auxiliaries."""
        return self.tasks if isinstance(self.method, PetOEQ) else self.trained

    @property
    def weights(self) -> dict[str, float]:
        """The factor of each trained task's loss."""
        chosen = self.recipe.tasks.chosen
        alone = self.role in ("single", "trained_on")
        return {task: chosen[task].single_weight if alone else chosen[task].weight for task in self.trained}

    @property
    def weighting(self) -> Part[Weighting] | None:
        """What weighs the tasks of this network instead of `weights`; None where `weights` do."""
        return self.method.weighting if self.method is not None and len(self.trained) > 1 else None

    @property
    def steps(self) -> int:
        """Steps of this training alone."""
        if isinstance(self.recipe.start, PretrainedOnScenes) and self.role == "start":
            return self.recipe.start.steps
        return self.options.steps if self.options is not None else 0

    @property
    def steps_in_all(self) -> int:
        """Steps behind one network of this run since the common start."""
        behind = [parent.steps_in_all for parent in self.parents if parent.role != "start"]
        return self.steps + max(behind, default=0)

    @cached_property
    def content(self) -> dict[str, Any]:
        """Everything that determines this run's weights and metrics, as JSON values, and nothing else."""
        r = self.recipe
        common: dict[str, Any] = {"format": FORMAT, "role": self.role, "network": self._network_content()}
        if made_by := self._made_by():
            common["made_by"] = made_by
        if self.role == "start":
            return {**common, "start": r.start.model_dump(mode="json")}
        chosen = r.tasks.chosen
        return {
            **common,
            "data": self._data_content(),
            "tasks": {task: chosen[task].without_weights() for task in self.tasks},
            "trained": list(self.trained),
            "weights": self.weights,
            "start": self._start_content(),
            "method": self._method_content(),
            "options": None if self.options is None else settle(self.options).determining(),
            "seed": self.seed,
            "parents": [parent.digest for parent in self.parents],
        }

    @cached_property
    def digest(self) -> str:
        return digest_of(self.content)

    def _made_by(self) -> dict[str, int]:
        sets = [ScenesData()] if self.role == "start" else self.sets.values()
        return versions_of(sets, self.trained)

    def _network_content(self) -> dict[str, Any]:
        network = self.recipe.network
        if self.role == "start":
            return pretraining_network(network).determining()
        if len(self.tasks) == 1:
            return network_of(network, self.tasks[0]).determining()
        if isinstance(network, PerTask):
            return {"kind": network.kind, "networks": {task: network.networks[task].determining() for task in self.tasks}}
        return network.determining()

    def _data_content(self) -> dict[str, Any]:
        """One data set alone counts as if it were no part of a mixture, so that its runs are shared with other recipes."""
        data, sets = self.recipe.data, self.sets
        if not isinstance(data, MixtureData):
            return data.determining()
        if len(sets) == 1:
            return next(iter(sets.values())).determining()
        return {**data.determining(), "sets": [[name, one.determining()] for name, one in sets.items()]}

    def _start_content(self) -> dict[str, Any]:
        """A file of weights counts by what is in it: another file of the same name is another start."""
        start = self.recipe.start
        content = start.model_dump(mode="json")
        return {**content, "holds": fingerprint(start.path)} if isinstance(start, FromFile) else content

    def _method_content(self) -> dict[str, Any]:
        assert self.method is not None
        left_out = {"label", "lr_multiplier", "second_seed", "connected", "start", "network"}
        left_out |= {"auxiliary_weighting", "auxiliary_steps"}  # its parents' matter
        content = self.method.determining(without=left_out)
        if isinstance(self.method, ConnectedTrainedOnOneTask):
            content["connected"] = self.method.connected.determining(without=left_out)
        connecting = self.method.connected if isinstance(self.method, ConnectedTrainedOnOneTask) else self.method
        meets = isinstance(connecting, ConnectingChoice) or connecting.shortcut is not None
        return {**content, "places": list(usual_places(connecting, self.recipe))} if meets else content

    def with_parents(self) -> Iterator[Run]:
        """Every run that this one needs, before what needs it, then this."""
        for parent in self.parents:
            yield from parent.with_parents()
        yield self


@final
@dataclass(frozen=True)
class Entry:
    """One row of the table: a method, a seed and the runs whose metrics it joins (one, or one per task)."""

    method: Method
    seed: int
    runs: tuple[Run, ...]


def entries(recipe: Recipe) -> tuple[Entry, ...]:
    """Every row, seed by seed, so that an interrupted comparison holds whole seeds first."""
    return tuple(Entry(method, seed, _runs(recipe, method, seed)) for seed in recipe.seeds for method in recipe.rows)


def all_runs(rows: Sequence[Entry]) -> tuple[Run, ...]:
    """Every different run of the rows, each after the runs it needs."""
    found: dict[str, Run] = {}
    for entry in rows:
        for run in entry.runs:
            for needed in run.with_parents():
                found.setdefault(needed.digest, needed)
    return tuple(found.values())


def _runs(recipe: Recipe, method: Method, seed: int) -> tuple[Run, ...]:
    tasks = tuple(recipe.tasks.chosen)
    if method.network is not None:  # the recipe's places are stages of its own network
        recipe = recipe.model_copy(update={"network": method.network, "places": ()})
    if isinstance(method, Single):
        wanted = [task for task in tasks if task in (method.only or tasks)]
        return tuple(_single(recipe, task, seed, shortcut=method.shortcut, label=method.label) for task in wanted)
    if isinstance(method, SingleTrainedOn):
        parents = [_single(recipe, task, seed, shortcut=method.shortcut) for task in tasks]
        return tuple(Run(recipe, "trained_on", p.tasks, p.trained, seed, method, (p,)) for p in parents)
    if isinstance(method, Ensemble):
        seeds = (seed, seed + method.second_seed)
        members = [tuple(_single(recipe, task, s, shortcut=method.shortcut) for s in seeds) for task in tasks]
        return tuple(Run(recipe, "ensemble", (t,), (t,), seed, method, m) for t, m in zip(tasks, members, strict=True))
    if isinstance(method, PetOEQ):
        return (_oeq(recipe, method, seed),)
    if isinstance(method, PetChoice):
        return (Run(recipe, "joint", method.branches, method.branches, seed, method, _start(recipe)),)
    if isinstance(method, Shared | SharedLatent | WholeChoice):
        return (Run(recipe, "joint", tasks, tasks, seed, method, _start(recipe)),)
    if isinstance(method, ConnectingChoice) and method.start is not None:
        begun = recipe.model_copy(update={"start": method.start})
        return (Run(begun, "joint", tasks, tasks, seed, method, _start(begun)),)
    singles = tuple(_single(recipe, task, seed, shortcut=_gathering(method, recipe)) for task in tasks)
    if isinstance(method, ConnectedTrainedOnOneTask):
        return tuple(Run(recipe, "connected", tasks, (task,), seed, method, singles) for task in tasks)
    return (Run(recipe, "connected", tasks, tasks, seed, method, singles),)


def _oeq(recipe: Recipe, method: PetOEQ, seed: int) -> Run:
    """The run of the target, behind the stored one of its auxiliaries."""
    begun, first = _start(recipe), method.auxiliaries
    auxiliaries = Run(recipe, "joint", first.branches, first.branches, seed, first, begun)
    trained = method.branches[-1:] if method.frozen else method.branches
    return Run(recipe, "connected", method.branches, trained, seed, method, (auxiliaries, *begun))


def _gathering(method: ConnectingChoice | ConnectedTrainedOnOneTask, recipe: Recipe) -> ShortcutOptions | None:
    """A method's shortcut for the single networks that it starts from: it gathers from where the method's streams meet."""
    own = method.connected.places if isinstance(method, ConnectedTrainedOnOneTask) else method.places
    if method.shortcut is None or method.shortcut.places or own in ((), recipe.places):
        return method.shortcut
    return method.shortcut.model_copy(update={"places": own})


def _single(recipe: Recipe, task: str, seed: int, *, shortcut: ShortcutOptions | None, label: str = "") -> Run:
    """A stored single-task run; with the shortcut where the method that starts from it has one (p002, table 6)."""
    return Run(recipe, "single", (task,), (task,), seed, Single(shortcut=shortcut, label=label), _start(recipe))


def _start(recipe: Recipe) -> tuple[Run, ...]:
    if not isinstance(recipe.start, PretrainedOnScenes):
        return ()
    return (Run(recipe, "start", TASKS, TASKS, recipe.start.seed, None),)
