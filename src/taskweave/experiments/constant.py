"""What a prediction that looks at no picture scores: the floor that every method must beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from taskweave.data.dataset import LabelledSet
from taskweave.results.comparison import Direction, Mark, Values
from taskweave.tasks.task import Task

REASON = "no better than a constant prediction"
_PER_IMAGE = 2000


def constant_scores(tasks: Mapping[str, Task], train: LabelledSet, test: LabelledSet) -> Values:
    """{task: {metric: the best score of its constants}}, chosen on train labels, measured on test labels.

    A task without constants (`Task.constants`) is left out, such as detection: boxes that are the same in every picture say
    nothing.
    """
    chosen = constants_of(tasks, [(train, tuple(tasks))])
    scores = {name: score_of(name, task, test, constants=chosen.get(name, [])) for name, task in tasks.items()}
    return {name: score for name, score in scores.items() if score}


def constants_of(tasks: Mapping[str, Task], parts: Sequence[tuple[LabelledSet, Sequence[str]]]) -> dict[str, list[Tensor]]:
    """{task: the constants to try}, from the labels of some train parts, each with the tasks that it is trained on for.

    Of every image evenly spaced pixels are kept: plenty for a mean, and the same memory whatever the images' size.
    """
    gathered: dict[str, list[Tensor]] = {name: [] for name in tasks}
    without: set[str] = set()
    for part, labelled in parts:
        for index in range(len(part)):
            wanted = [name for name in tasks if name in labelled and name not in without]
            if not wanted:
                break
            sample = part[index]
            for name in wanted:
                numbers = tasks[name].numbers(sample[name]) if name in sample else None
                if numbers is not None:
                    gathered[name].append(numbers[:: max(1, len(numbers) // _PER_IMAGE)])
                elif name in sample:
                    without.add(name)
    found = {name: task.constants(torch.cat(own) if (own := gathered[name]) else None) for name, task in tasks.items()}
    return {name: constants for name, constants in found.items() if constants}


def score_of(name: str, task: Task, test: LabelledSet, *, constants: Sequence[Tensor]) -> dict[str, float | None]:
    """{metric: the best score of the constants} on one test part; {} for a task without constants."""
    return _best([_score(name, task, test, constant=c) for c in constants], task.directions) if constants else {}


def marks(metrics: Values, directions: Mapping[str, Mapping[str, Direction]], constant: Values) -> tuple[Mark, ...]:
    """A mark for every number that is no better than the constant's."""
    found: list[Mark] = []
    for task, values in metrics.items():
        for metric, value in values.items():
            floor = constant.get(task, {}).get(metric)
            if value is None or floor is None:
                continue
            ahead = value - floor if directions[task][metric] == "higher" else floor - value
            if ahead <= 1e-6 * abs(floor):
                found.append(Mark(task=task, metric=metric, reason=REASON))
    return tuple(found)


def _score(name: str, task: Task, test: LabelledSet, *, constant: Tensor) -> dict[str, float]:
    metric = task.metric()
    for index in range(len(test)):
        sample = test[index]
        if name in sample:
            metric.update(*task.constant_answer(constant, sample[name]))
    return {key: float(value) for key, value in metric.compute().items()}


def _best(scores: Sequence[Mapping[str, float]], directions: Mapping[str, Direction]) -> dict[str, float | None]:
    best: dict[str, float | None] = {}
    for metric, direction in directions.items():
        values = [score[metric] for score in scores if score[metric] == score[metric]]
        best[metric] = (max(values) if direction == "higher" else min(values)) if values else None
    return best
