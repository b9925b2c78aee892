"""How many labels of each class the train part has, kept with each comparison: ``labels.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import final

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from taskweave.data.dataset import LabelledSet
from taskweave.experiments.bench import Bench
from taskweave.experiments.choices.mixture import sets_of
from taskweave.experiments.recipe import digest_of
from taskweave.experiments.versions import versions_of
from taskweave.progress import Progress
from taskweave.results.comparison import write_text
from taskweave.tasks.task import Task

LABELS = "labels.json"


@final
class LabelCounts(BaseModel):
    """The labels of one task's classes in the train part.

    unit: what `labels` counts, as the cross-stitch paper does: pixels of a segmentation (figure 6), true boxes that have an
    attribute (figure 5), objects of a detection, images of a classification.
    labels, images: {class: how many}; images are those with at least one such label.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: str
    labels: dict[str, int]
    images: dict[str, int]


def train_labels(bench: Bench, here: Path, progress: Progress) -> dict[str, LabelCounts]:
    """{task: its labels} of the tasks that have classes, counted once and kept beside the table.

    They depend on the data and the tasks alone; a file of other data is counted anew.
    """
    r = bench.recipe
    content: dict[str, object] = {"data": r.data.determining(), "tasks": r.tasks.determining()}
    if made_by := versions_of(sets_of(r.data).values(), r.tasks.chosen):
        content["made_by"] = made_by
    known_by = digest_of(content)
    kept = _read(here)
    if kept is not None and kept[0] == known_by:
        return kept[1]
    wanted = {name: task for name, task in bench.tasks.items() if task.classes}
    if wanted:
        progress.note("counting the labels of each class")
    parts = [(bench.sets[name].train, one.labelled_for(wanted)) for name, one in sets_of(r.data).items()]
    found = count_labels(wanted, parts)
    content = {"known_by": known_by, "tasks": {name: counts.model_dump() for name, counts in found.items()}}
    write_text(here / LABELS, json.dumps(content, indent=1) + "\n")
    return found


def read_labels(here: Path) -> dict[str, LabelCounts]:
    """{task: its labels} that a comparison's folder holds; {} where it has none. Raises ValueError for a damaged file."""
    kept = _read(here)
    return {} if kept is None else kept[1]


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


def _read(here: Path) -> tuple[str, dict[str, LabelCounts]] | None:
    path = here / LABELS
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return content["known_by"], {name: LabelCounts.model_validate(own) for name, own in content["tasks"].items()}
    except (ValueError, KeyError) as error:
        raise ValueError(
            f"{path} is damaged ({error}); delete it, and the next comparison counts the labels anew"
        ) from error
