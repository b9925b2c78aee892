"""How many labels of each class the train part has, kept with each comparison: ``labels.json``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from taskweave.data.dataset import LabelledSet
from taskweave.experiments.bench import Bench
from taskweave.experiments.choices.mixture import sets_of
from taskweave.experiments.recipe import digest_of
from taskweave.experiments.versions import versions_of
from taskweave.progress import Progress
from taskweave.results.class_gains import LabelCounts, keep_labels, read_labels_of
from taskweave.tasks.attributes import Attributes
from taskweave.tasks.classification import Classification
from taskweave.tasks.detection import Detection
from taskweave.tasks.roi_detection import RoiDetection
from taskweave.tasks.segmentation import Segmentation
from taskweave.tasks.task import Task
from taskweave.tasks.torchvision_detection import TorchvisionDetection


def train_labels(bench: Bench, here: Path, progress: Progress) -> dict[str, LabelCounts]:
    """{task: its labels} of the tasks that have classes, counted once and kept beside the table.

    They depend on the data and the tasks alone; a file of other data is counted anew.
    """
    r = bench.recipe
    content: dict[str, object] = {"data": r.data.determining(), "tasks": r.tasks.determining()}
    if made_by := versions_of(sets_of(r.data).values(), r.tasks.chosen):
        content["made_by"] = made_by
    known_by = digest_of(content)
    kept = read_labels_of(known_by, here)
    if kept is not None:
        return kept
    wanted = {name: task for name, task in bench.tasks.items() if classes_of(task)}
    if wanted:
        progress.note("counting the labels of each class")
    parts = [(bench.sets[name].train, one.labelled_for(wanted)) for name, one in sets_of(r.data).items()]
    found = count_labels(wanted, parts)
    keep_labels(found, known_by, here)
    return found


def classes_of(task: Task) -> tuple[str, ...]:
    """The names of what a task tells apart, in the order of its metric's values by class; () for other tasks."""
    match task:
        case Segmentation() | Classification() | Detection() | RoiDetection() | TorchvisionDetection():
            return tuple(task.classes)
        case Attributes():
            return tuple(task.names)
        case _:
            return ()


def count_labels(tasks: Mapping[str, Task], parts: Sequence[tuple[LabelledSet, Sequence[str]]]) -> dict[str, LabelCounts]:
    """{task: its labels} in some train parts together, each with the tasks that it is trained on for."""
    sums = {name: torch.zeros(2, len(classes_of(task)), dtype=torch.int64) for name, task in tasks.items()}
    counting = {name: _counting(task) for name, task in tasks.items()}
    for part, labelled in parts:
        own = [name for name in tasks if name in labelled]
        for index in range(len(part) if own else 0):
            sample = part[index]
            for name in own:
                if name in sample:
                    counts = counting[name][1](sample[name], sums[name].shape[1])
                    sums[name] += torch.stack([counts, (counts > 0).long()])
    return {
        name: LabelCounts(unit=counting[name][0], labels=_named(task, sums[name][0]), images=_named(task, sums[name][1]))
        for name, task in tasks.items()
    }


def _counting(task: Task) -> tuple[str, Callable[[Any, int], Tensor]]:
    """What is counted, and how often each class (classes,) is in one image's target."""
    match task:
        case Segmentation():
            return "pixels", _numbers
        case Classification():
            return "images", _numbers
        case Attributes():
            return "boxes", _attributes
        case _:
            return "objects", _objects


def _numbers(target: Any, classes: int) -> Tensor:
    """Of class numbers, those outside 0..classes - 1 left out."""
    numbers = torch.as_tensor(target).as_subclass(Tensor).flatten().long()
    return torch.bincount(numbers[(numbers >= 0) & (numbers < classes)], minlength=classes)


def _attributes(target: Mapping[str, Tensor], classes: int) -> Tensor:
    return (target["values"] == 1).sum(0)


def _objects(target: Mapping[str, Tensor], classes: int) -> Tensor:
    """Of the objects that are not to be ignored."""
    labels = target["labels"]
    counted = labels[~target["ignore"]] if "ignore" in target else labels
    return torch.bincount(counted, minlength=classes + 1)[1:]


def _named(task: Task, counts: Tensor) -> dict[str, int]:
    return dict(zip(classes_of(task), counts.tolist(), strict=True))
