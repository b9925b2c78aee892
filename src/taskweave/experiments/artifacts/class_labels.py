"""How many labels of each class the train part has, kept with each comparison: ``labels.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from taskweave.data.dataset import LabelledSet
from taskweave.experiments.bench import Bench
from taskweave.experiments.data import made_by, sets_of
from taskweave.experiments.fingerprint import digest_of
from taskweave.progress import Progress
from taskweave.results.class_gains import LabelCounts, keep_labels, read_labels_of
from taskweave.tasks.task import Task


def train_labels(bench: Bench, here: Path, progress: Progress) -> dict[str, LabelCounts]:
    """{task: its labels} of the tasks that have classes, counted once and kept beside the table.

    They depend on the data and the tasks alone; a file of other data is counted anew.
    """
    r = bench.recipe
    known_by = digest_of(
        {
            "data": r.data.identity(),
            "made_by": made_by(sets_of(r.data), r.tasks),
            "tasks": {name: entry.identity() for name, entry in r.tasks.items()},
        }
    )
    kept = read_labels_of(known_by, here)
    if kept is not None:
        return kept
    wanted = {name: task for name, task in bench.tasks.items() if task.classes}
    if wanted:
        progress.note("counting the labels of each class")
    parts = [(bench.sets[name].train, one.labelled_for(wanted)) for name, one in sets_of(r.data).items()]
    found = count_labels(wanted, parts)
    keep_labels(found, known_by, here)
    return found


def count_labels(tasks: Mapping[str, Task], parts: Sequence[tuple[LabelledSet, Sequence[str]]]) -> dict[str, LabelCounts]:
    """{task: its labels} in some train parts together, each with the tasks that it is trained on for."""
    sums = {name: torch.zeros(2, len(task.classes), dtype=torch.int64) for name, task in tasks.items()}
    for part, labelled in parts:
        own = [name for name in tasks if name in labelled]
        for index in range(len(part) if own else 0):
            sample = part[index]
            for name in own:
                if name in sample:
                    counts = tasks[name].class_counts(sample[name])
                    sums[name] += torch.stack([counts, (counts > 0).long()])
    return {
        name: LabelCounts(unit=task.counted, labels=_named(task, sums[name][0]), images=_named(task, sums[name][1]))
        for name, task in tasks.items()
    }


def _named(task: Task, counts: Tensor) -> dict[str, int]:
    return dict(zip(task.classes, counts.tolist(), strict=True))
