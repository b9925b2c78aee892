"""Rows of the table, from the records of runs: marked where no better than a constant, and those that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import final

import torch
from torch import Tensor

from taskweave.data.dataset import LabelledSet
from taskweave.experiments.columns import Column
from taskweave.experiments.fingerprint import digest_of
from taskweave.experiments.launch.failures import read_failure
from taskweave.experiments.plan import Entry, Run, Schedule
from taskweave.experiments.running import find_record, folder_of
from taskweave.results.comparison import Direction, Failure, Mark, Row, Values
from taskweave.results.run_files import RunRecord
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


def row_of(entry: Entry, records: Sequence[RunRecord], constant: Values, *, columns: Sequence[Column]) -> Row:
    """One method with one seed: the metrics of all its runs side by side, their costs added.

    columns: those of the recipe; a record may hold further tests of other recipes.
    """
    found = {name: values for record in records for name, values in record.metrics.items()}
    ways = {name: dict(of) for record in records for name, of in record.directions.items()}
    names = [column.name for column in columns if column.name in found]
    metrics, directions = {name: found[name] for name in names}, {name: ways[name] for name in names}
    timed = [record.seconds_per_step for record in records if record.seconds_per_step > 0]
    digests = [record.digest for record in records]
    return Row(
        method=entry.row.title,
        seed=entry.seed,
        metrics=metrics,
        directions=directions,
        parameters=sum(record.parameters for record in records),
        flops=sum(record.flops for record in records),
        seconds_per_step=sum(timed) if timed else None,
        steps=max(record.steps for record in records),
        recipe_hash=digests[0] if len(digests) == 1 else digest_of(digests),
        runs=tuple(digests),
        marks=marks(metrics, directions, constant),
    )


@final
class FailedRunError(ValueError):
    """The one run that was asked for could not be trained."""


_WORDS: dict[Schedule, str] = {
    "single": "single-task network",
    "joint": "network of auxiliaries",
}
"""What a run is to one that begins with its weights."""


def _word(parent: Run) -> str:
    return "common start" if parent.first else _WORDS.get(parent.schedule, "earlier network")


def failures_of(rows: Sequence[Entry], folder: Path) -> tuple[Failure, ...]:
    """Every run of a row that is not stored because it failed, or one that it begins with did.

    folder: of all results. Its runs' folders say it, so a failure of an earlier call stays until it is tried again.
    """
    found: list[Failure] = []
    for entry in rows:
        for run in entry.runs:
            reason = _reason(run, folder)
            if reason is not None:
                found.append(Failure(method=entry.row.title, seed=entry.seed, run=run.digest, reason=reason))
    return tuple(found)


def _reason(run: Run, folder: Path) -> str | None:
    if find_record(run, folder) is not None:
        return None
    note = read_failure(folder_of(run, folder))
    if note is not None:
        return f"{run.title}: {note.reason}"
    for parent in run.parents:
        if (reason := _reason(parent, folder)) is not None:
            return f"its {_word(parent)} failed: {reason}"
    return None
