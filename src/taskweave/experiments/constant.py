"""What a prediction that looks at no picture scores: the floor that every method must beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import torch
from torch import Tensor
from torchvision import tv_tensors

from taskweave.data.dataset import LabelledSet
from taskweave.results.comparison import Direction, Mark, Values
from taskweave.tasks.age import Age
from taskweave.tasks.attributes import Attributes
from taskweave.tasks.box_regression import BoxRegression
from taskweave.tasks.classification import Classification
from taskweave.tasks.depth import Depth
from taskweave.tasks.normals import NormalsTask, unit_vectors
from taskweave.tasks.segmentation import Segmentation
from taskweave.tasks.task import Task

REASON = "no better than a constant prediction"
_PER_IMAGE = 2000
_HAVE_CONSTANTS = Segmentation | Depth | NormalsTask | Classification | BoxRegression | Age


def constant_scores(tasks: Mapping[str, Task], train: LabelledSet, test: LabelledSet) -> Values:
    """{task: {metric: the better score of the constants}}, chosen on train labels, measured on test labels.

    Segmentation: the most frequent class. Depth: the mean and the median of all metres. Normals: the mean direction.
    Classification: the most frequent class. Age: the median. One box per image: the mean and the median of each side,
    relative to the image. Attributes on true boxes: the same score for all, which ranks none before another. Detection is
    left out: boxes that are the same in every picture say nothing.
    """
    chosen = constants_of(tasks, [(train, tuple(tasks))])
    scores = {name: score_of(name, task, test, constants=chosen.get(name, [])) for name, task in tasks.items()}
    return {name: score for name, score in scores.items() if score}


def constants_of(tasks: Mapping[str, Task], parts: Sequence[tuple[LabelledSet, Sequence[str]]]) -> dict[str, list[Tensor]]:
    """{task: the constants to try}, from the labels of some train parts, each with the tasks that it is trained on for."""
    gathered = {name: _Labels() for name, task in tasks.items() if isinstance(task, _HAVE_CONSTANTS)}
    for part, labelled in parts:
        wanted = [name for name in gathered if name in labelled]
        for index in range(len(part) if wanted else 0):
            sample = part[index]
            for name in wanted:
                if name in sample:
                    gathered[name].add(_values(sample[name]))
    return {name: _constants(tasks[name], labels.all()) for name, labels in gathered.items() if labels.parts}


def score_of(name: str, task: Task, test: LabelledSet, *, constants: Sequence[Tensor]) -> dict[str, float | None]:
    """{metric: the best score of the constants} on one test part; {} for a task without constants."""
    if isinstance(task, Attributes) and task.measured_on == "boxes":
        return _best([_score_of_no_order(name, task, test)], task.directions)
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


@final
class _Labels:
    """Evenly spaced pixels of every image: plenty for a mean, and the same memory whatever the images' size."""

    def __init__(self) -> None:
        self.parts: list[Tensor] = []

    def add(self, target: Tensor) -> None:
        # (pixels,) or (pixels, channels); one number or one box of an image as they are
        flat = target.flatten() if target.ndim == 0 or target.ndim == 2 else target.flatten(1).T
        self.parts.append(flat[:: max(1, len(flat) // _PER_IMAGE)])

    def all(self) -> Tensor:
        return torch.cat(self.parts)


def _constants(task: Task, labels: Tensor) -> list[Tensor]:
    """Predictions for one pixel or image, () or (channels,), that do as well as a constant can on the training labels."""
    if isinstance(task, Age):
        return [labels.double().quantile(0.5)]
    if isinstance(task, BoxRegression):
        return [labels.mean(0), labels.median(0).values]
    if isinstance(task, Segmentation | Classification):
        known = labels[(labels >= 0) & (labels < task.channels)]
        return [known.mode().values] if len(known) else []
    if isinstance(task, Depth):
        known = labels[labels > 0]
        return [known.mean()[None], known.median()[None]] if len(known) else []
    if isinstance(task, NormalsTask):
        known = labels[labels.norm(dim=1) >= 0.5]
        return [unit_vectors(known.mean(0), axis=0)] if len(known) else []
    return []


def _score_of_no_order(name: str, task: Attributes, test: LabelledSet) -> dict[str, float]:
    metric = task.metric()
    for index in range(len(test)):
        sample = test[index]
        if name in sample:
            target = sample[name]
            same = torch.zeros(len(target["boxes"]), task.channels)
            metric.update([{"boxes": target["boxes"], "scores": same}], [target])
    return {key: float(value) for key, value in metric.compute().items()}


def _score(name: str, task: Task, test: LabelledSet, *, constant: Tensor) -> dict[str, float]:
    metric = task.metric()
    for index in range(len(test)):
        sample = test[index]
        if name in sample:
            target = _plain(sample[name])[None]
            metric.update(_everywhere(constant, sample[name], target), target)
    return {key: float(value) for key, value in metric.compute().items()}


def _best(scores: Sequence[Mapping[str, float]], directions: Mapping[str, Direction]) -> dict[str, float | None]:
    best: dict[str, float | None] = {}
    for metric, direction in directions.items():
        values = [score[metric] for score in scores if score[metric] == score[metric]]
        best[metric] = (max(values) if direction == "higher" else min(values)) if values else None
    return best


def _everywhere(constant: Tensor, label: object, target: Tensor) -> Tensor:
    """The constant as the prediction for one image: in every pixel, or as a box of the image's size."""
    if isinstance(label, tv_tensors.BoundingBoxes):
        return (constant * _sides(label)).expand(target.shape)
    shape = constant.reshape(1, *constant.shape, 1, 1) if constant.ndim else constant
    return shape.expand(target.shape)


def _values(label: object) -> Tensor:
    """A label in numbers that can be averaged over images: a box relative to its image."""
    plain = _plain(label)
    return (plain / _sides(label)).reshape(4, 1, 1) if isinstance(label, tv_tensors.BoundingBoxes) else plain


def _sides(box: tv_tensors.BoundingBoxes) -> Tensor:
    height, width = box.canvas_size
    return torch.tensor([width, height, width, height])


def _plain(target: object) -> Tensor:
    return torch.as_tensor(target).as_subclass(Tensor)
