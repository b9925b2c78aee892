"""Whether the parts of a recipe fit each other; told when it is read, before any file is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taskweave.experiments.data import MixtureOf, Source, sets_of
from taskweave.parts import Part

if TYPE_CHECKING:
    from taskweave.experiments.recipe import Recipe


def check_all(recipe: Recipe) -> None:
    """Raise ValueError for the first thing that does not fit, and say what would."""
    _check_rows(recipe)
    _check_training(recipe)
    _check_labels(recipe)
    _check_networks(recipe)
    _check_weightings(recipe)
    for row in recipe.rows:
        _check_forms(row.fold(recipe))
        row.made.require_fit(row, recipe)


def _check_rows(recipe: Recipe) -> None:
    titles = [row.title for row in recipe.rows]
    if twice := sorted({title for title in titles if titles.count(title) > 1}):
        raise ValueError(f"two methods are called {twice}; give them different labels (`label: ...`)")


def _check_training(recipe: Recipe) -> None:
    t, tasks = recipe.training, list(recipe.tasks)
    options = {"single": t.single, "connected": t.connected, "joint": t.of_joint}
    best = [name for name, how in options.items() if how.choose == "best"]
    without = [name for name, one in sets_of(recipe.data).items() if not one.has_validation]
    if best and without:
        raise ValueError(
            f"training.{best[0]}.choose is 'best', which needs a validation part: set data.validation_share to e.g. 0.1"
        )
    if "validation" in recipe.evaluation.also_on and without:
        raise ValueError(
            f"evaluation.also_on names the validation part, which {without} have not: set validation_share to e.g. 0.1"
        )
    if unknown := [task for task in t.single_steps if task not in tasks]:
        raise ValueError(f"training.single_steps names {unknown}, no tasks of this recipe, whose tasks are {tasks}")


def _check_labels(recipe: Recipe) -> None:
    """A task that is labelled nowhere, data of no use, and two that disagree on a task's classes."""
    tasks, data, every = list(recipe.tasks), recipe.data, dict(sets_of(recipe.data))
    for name, one in every.items():
        if isinstance(data, MixtureOf) and not one.labelled_for(tasks):
            raise ValueError(
                f"the data set {name!r} is labelled for {list(one.facts.labels)}, for none of the tasks {tasks}"
            )
    if missing := [task for task in tasks if not any(one.labelled_for([task]) for one in every.values())]:
        has = "; ".join(f"{name!r} has {list(one.labels or one.facts.labels)}" for name, one in every.items())
        raise ValueError(f"no data set is labelled for the tasks {missing}: {has}")
    for name, test in recipe.further_tests.items():
        if name in every:
            raise ValueError(f"{name!r} is both a data set to train on and a further test; give them different names")
        if not test.data.labelled_for(tasks):
            raise ValueError(
                f"the further test {name!r} is labelled for {list(test.data.facts.labels)}, for none of the tasks {tasks}"
            )
        every[name] = test.data
    for task in tasks:
        _check_names(task, {name: one for name, one in every.items() if one.labelled_for([task])})


def _check_names(task: str, labelled: Mapping[str, Source]) -> None:
    (first, one), *others = labelled.items()
    for name, other in others:
        ours, theirs = one.facts.of(task), other.facts.of(task)
        if ours != theirs:
            raise ValueError(
                f"{first!r} and {name!r} define the task {task!r} with different classes: {_some(ours)} and "
                f"{_some(theirs)}; choose `classes` that are the same, or say with `labels` from which the task is read"
            )


def _some(names: Sequence[str]) -> str:
    return f"{len(names)} ({', '.join(names[:4])}{', ...' if len(names) > 4 else ''})"


def _check_networks(recipe: Recipe) -> None:
    """Networks of tasks that the recipe lacks."""
    for row in (None, *recipe.methods):
        networks = recipe.networks if row is None else row.networks
        if unknown := [task for task in networks if task not in recipe.tasks]:
            raise ValueError(f"networks names {unknown}, no tasks of this recipe, whose tasks are {list(recipe.tasks)}")


def _check_forms(recipe: Recipe) -> None:
    """A task whose network does not give what it reads, regions that some data lack, pictures that are too small."""
    sets = tested_on(recipe)
    for name, entry in recipe.tasks.items():
        if recipe.network is None and name not in recipe.networks:
            continue  # a row that needs one says so
        network = recipe.network_of(name)
        gives, reads = network.fact("gives"), entry.task.fact("reads")
        if gives and reads and gives != reads:
            raise ValueError(
                f"the network {network.name!r} gives {gives}, and the task {name!r} ({entry.task.name}) reads {reads}; "
                f"give the task another one with networks: {{{name}: ...}}"
            )
        lacking = [key for key, one in sets.items() if one.regions is None]
        if network.fact("reads_regions") and lacking:
            raise ValueError(
                f"the network of {name!r} looks at regions, and the data {lacking} have none: give them `regions`, e.g. "
                "regions: {proposals: {}}"
            )
        require_size(network, name, sets)


def tested_on(recipe: Recipe) -> dict[str, Source]:
    """The data that networks are tested on, by name."""
    return {**sets_of(recipe.data), **{name: test.data for name, test in recipe.further_tests.items()}}


def absent_data(recipe: Recipe) -> dict[str, Path]:
    """{name of a data set or further test: its path} of those whose path does not exist on this machine."""
    return {name: one.path for name, one in tested_on(recipe).items() if one.path is not None and not one.path.exists()}


def require_size(network: Part[Any], whose: object, sets: Mapping[str, Source]) -> None:
    """Raise ValueError where pictures are too small for a network whose batch norms go by their own batch.

    Args:
        network: It may state `least_size`.
        whose: The task, or the tasks, that it is of.
        sets: The data that it is tested on, by name.
    """
    least: int | None = network.fact("least_size")
    if least is None:
        return
    for key, one in sets.items():
        if max(one.picture_size) <= least:
            raise ValueError(
                f"the pictures of {key} are {one.picture_size[0]} x {one.picture_size[1]} px: with batch_statistics "
                f"one alone (the last of a test, a prediction) leaves {network.name} of {whose!r} one "
                f"value per channel; give a `size` of more than {least} px on a side, or leave batch_statistics out"
            )


def _check_weightings(recipe: Recipe) -> None:
    """A weighting where a network is trained for one task, or of a task that the recipe lacks."""
    for row in recipe.methods:
        if row.weighting is None:
            continue
        if row.made.trains_one_task:
            raise ValueError(
                f"{row.method.name} trains for one task at a time: there is nothing to weigh, leave `weighting` out"
            )
        named = row.weighting.fact("named") or ()
        if strange := [task for task in named if task not in recipe.tasks]:
            raise ValueError(
                f"the weighting {row.weighting.title!r} names {strange}; the recipe's tasks are {list(recipe.tasks)}"
            )
