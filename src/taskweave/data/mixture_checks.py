"""What a mixture of data sets refuses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations

from taskweave.data.dataset import LabelledSet
from taskweave.data.facts import ATTRIBUTES, DETECTION

SEGMENTATION = "segmentation"


def check_sets(sets: Mapping[str, LabelledSet], used: Mapping[str, Collection[str]]) -> None:
    """Raise ValueError for no data sets, an empty one, labels that one does not have, or two that disagree on a task."""
    if not sets:
        raise ValueError("a Mixture needs at least one data set, got none")
    if empty := [name for name, dataset in sets.items() if len(dataset) == 0]:
        raise ValueError(f"the data sets {empty} of the mixture are empty; check the folders and the splits")
    if unknown := sorted(set(used) - set(sets)):
        raise ValueError(f"use= names {unknown}; the data sets of the mixture are {list(sets)}")
    for name, dataset in sets.items():
        if missing := sorted(set(used[name]) - set(dataset.labels)):
            raise ValueError(f"data set {name!r} has no labels {missing} to use; it has {list(dataset.labels)}")
    for (one, first), (other, second) in combinations(sets.items(), 2):
        for task in used[one]:
            if task in used[other]:
                _check_vocabulary(task, {one: _vocabulary(first, task), other: _vocabulary(second, task)})


def _vocabulary(dataset: LabelledSet, task: str) -> tuple[str, ...]:
    """The names of a task's classes; () for a task without, or of a data set that does not say."""
    own = {SEGMENTATION: dataset.classes, DETECTION: dataset.objects, ATTRIBUTES: dataset.attributes}
    return {**dataset.categories, **own}.get(task, ())


def _check_vocabulary(task: str, by_set: Mapping[str, tuple[str, ...]]) -> None:
    (one, first), (other, second) = by_set.items()
    if not first or not second or first == second:
        return
    longest = max(len(first), len(second))
    at = next(i for i in range(longest) if first[i : i + 1] != second[i : i + 1])
    a, b = (repr(names[at]) if at < len(names) else "nothing" for names in (first, second))
    raise ValueError(
        f"data sets {one!r} and {other!r} define task {task!r} with different classes: {one!r} has {len(first)}, "
        f"{other!r} has {len(second)}, and class {at} is {a} in {one!r}, {b} in {other!r}; read both with the same "
        f"classes, or take the task from one of them only: use={{{other!r}: (...)}}"
    )


def check_labelled(used: Mapping[str, Collection[str]], wanted: Collection[str]) -> None:
    """Raise ValueError for a wanted task that no data set is labelled for."""
    known = {task for tasks in used.values() for task in tasks}
    if missing := [task for task in wanted if task not in known]:
        has = "; ".join(f"{name!r} is labelled for {sorted(tasks)}" for name, tasks in used.items())
        raise ValueError(
            f"no data set of the mixture is labelled for {missing}: {has}. Add a data set with these labels, or leave the "
            "tasks out with trained="
        )


def check_visited(used: Mapping[str, Collection[str]], wanted: Collection[str], *, visited: Collection[str]) -> None:
    """Raise ValueError for a wanted task whose data sets are never read in a training."""
    reached = {task for name in visited for task in used[name]}
    if missing := [task for task in wanted if task not in reached]:
        raise ValueError(
            f"this training reads only the data sets {sorted(visited)} of the mixture, and none labelled for {missing}; "
            "train for more steps, or switch between data sets sooner"
        )
