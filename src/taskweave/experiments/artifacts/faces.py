"""Ages and genders: what faces are labelled with, and what networks say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from taskweave.data.dataset import LabelledSet
from taskweave.data.readers.fileset import FileSet
from taskweave.data.readers.whole_images.faces import AGE, GENDER, GENDERS
from taskweave.data.sample import collate
from taskweave.data.splits import Subset
from taskweave.data.transformed import Reduced
from taskweave.experiments.artifacts.predictions import finished, network_behind
from taskweave.experiments.bench import Bench
from taskweave.experiments.columns import Column, own_columns
from taskweave.experiments.data import sets_of
from taskweave.experiments.measuring import task_of, view_of
from taskweave.experiments.plan import Entry, Run
from taskweave.results.folder import FACES, FaceCounts, keep_faces
from taskweave.training.batches import outputs_of

_FACES = 2000
"""Test pictures, at most, of which predictions are drawn: evenly spaced ones."""
_BATCH = 32


def counts_of(part: LabelledSet, label: str) -> FaceCounts:
    """The labels of a data set; the legend also gets their number."""
    ages = [value for i in range(len(part)) if (value := _label(part, i, AGE)) is not None]
    genders = [value for i in range(len(part)) if (value := _label(part, i, GENDER)) is not None]
    return FaceCounts(f"{label} ({len(part):,})", tuple(map(float, ages)), tuple(map(int, genders)))


def write_faces(rows: Sequence[Entry], bench: Bench, *, root: Path, folder: Path) -> None:
    """``faces.json`` in a comparison's folder for a recipe with ages or genders: the labels of train and test parts, and
    what every finished method (first seed) says of the test. For another recipe one of before is deleted."""
    recipe = bench.recipe
    if not {AGE, GENDER} & set(recipe.tasks):
        (folder / FACES).unlink(missing_ok=True)
        return
    series: list[FaceCounts] = []
    for name, one in sets_of(recipe.data).items():
        if one.labelled_for([AGE, GENDER]):
            words = "" if len(sets_of(recipe.data)) == 1 else f" {name}"
            series += [counts_of(bench.sets[name].train, f"train{words}"), counts_of(bench.sets[name].test, f"test{words}")]
    series += [_predicted(entry, bench, root) for entry in finished(rows, root, seed=recipe.seeds[0])]
    keep_faces(series, _genders({name: parts.train for name, parts in bench.sets.items()}), folder)


def _predicted(entry: Entry, bench: Bench, root: Path) -> FaceCounts:
    found: dict[str, list[float]] = {AGE: [], GENDER: []}
    for run in entry.runs:
        columns = [column for column in own_columns(bench.recipe, run.trained) if column.task in found]
        if not columns:
            continue
        net = network_behind(run, bench, root)
        for column in columns:
            found[column.task] += _answers(net, run, column, bench)
    return FaceCounts(entry.row.title, tuple(found[AGE]), tuple(map(int, found[GENDER])), predicted=True)


@torch.no_grad()
def _answers(net: nn.Module, run: Run, column: Column, bench: Bench) -> list[float]:
    """What a network says of evenly spaced labelled test pictures."""
    view, task = view_of(column, bench), task_of(run, bench, column.task)
    given = {name: bench.tasks[name] for name in run.tasks} | {column.task: task}
    count = min(_FACES, len(view))
    chosen, answers = [i * len(view) // count for i in range(count)], list[float]()
    for first in range(0, count, _BATCH):
        batch = collate([view[index, 0] for index in chosen[first : first + _BATCH]])
        if column.task not in batch.targets:
            continue
        size = (int(batch.image.shape[-2]), int(batch.image.shape[-1]))
        answers += task.decode(outputs_of(net, [column.task], batch, given)[column.task], size).tolist()
    return answers


def _label(part: LabelledSet, index: int, label: str) -> Any | None:
    """A sample's label, read without its picture where the data set keeps them apart."""
    match part:
        case Reduced():
            return _label(part.dataset, index, label)
        case Subset():
            return _label(part.dataset, part.indices[index], label)
        case FileSet():
            return part.items[index].values.get(label) if label in part.labels else None
        case _:
            return part[index].get(label)


def _genders(parts: Mapping[str, LabelledSet]) -> Sequence[str]:
    return next((part.categories[GENDER] for part in parts.values() if GENDER in part.categories), GENDERS)
