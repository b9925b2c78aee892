"""From task choices to tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, assert_never

from taskweave.data.dataset import LabelledSet
from taskweave.experiments.building.detection import build_detection
from taskweave.experiments.building.views import statistics_of
from taskweave.experiments.choices.answers import AgeTask, BoxTask, ClassificationTask
from taskweave.experiments.choices.detection import AttributesTask, DetectionTask
from taskweave.experiments.choices.mixture import sets_of
from taskweave.experiments.choices.network import network_of
from taskweave.experiments.choices.task import DepthTask, NormalsTask, OneTask, SegmentationTask
from taskweave.experiments.recipe import Recipe
from taskweave.tasks import (
    Age,
    Attributes,
    BoxRegression,
    Classification,
    Depth,
    Labels,
    Normals,
    NormalsByCodebook,
    Segmentation,
    Task,
)

Trained = Mapping[str, LabelledSet]
"""The train parts of a recipe's data sets, by name."""


def build_tasks(recipe: Recipe, train: Trained | None) -> dict[str, Task]:
    """{name: task}. train: what class weights and codebooks are counted on; None where only shapes matter."""
    return {name: _task(name, choice, recipe, train) for name, choice in recipe.tasks.chosen.items()}


def _task(name: str, choice: OneTask, recipe: Recipe, train: Trained | None) -> Task:
    labels = _labels(name, choice, recipe, train)
    options: dict[str, Any] = choice.model_dump(exclude={"weight", "single_weight", "directions"})
    match choice:
        case SegmentationTask():
            return Segmentation(labels, **options)
        case DepthTask():
            return Depth(labels, **options)
        case NormalsTask() if choice.loss == "codebook":
            del options["loss"]
            return NormalsByCodebook(labels, directions=choice.directions, **options)
        case NormalsTask():
            return Normals(**options)
        case DetectionTask():
            return build_detection(choice, network_of(recipe.network, name), labels)
        case AttributesTask():
            return Attributes(labels, **options)
        case ClassificationTask():
            return Classification(labels)
        case BoxTask():
            return BoxRegression(**options)
        case AgeTask():
            return Age()
        case _:
            assert_never(choice)


def _labels(name: str, choice: OneTask, recipe: Recipe, train: Trained | None) -> Labels:
    sets = {key: one for key, one in sets_of(recipe.data).items() if one.labelled_for([name])}
    first = next(iter(sets.values()))
    parts = None if train is None else [train[key] for key in sets]
    names = parts[0].attributes if parts and isinstance(choice, AttributesTask) else first.names.of(name)
    return Labels(
        tuple(names),
        far=first.far,
        statistics=statistics_of(recipe.data),
        targets=None if parts is None else lambda: _targets(parts, name),
    )


def _targets(train: Sequence[LabelledSet], task: str) -> Iterator[Any]:
    """A task's targets over some data sets."""
    for part in train:
        for index in range(len(part)):
            target = part[index].get(task)
            if target is not None:
                yield target
