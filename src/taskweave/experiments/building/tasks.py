"""From task choices to tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import assert_never

import torch
import torch.nn.functional as F
from torch import Tensor

from taskweave.data.dataset import LabelledSet
from taskweave.experiments.building.detection import build_attributes, build_detection
from taskweave.experiments.building.views import statistics_of
from taskweave.experiments.choices.answers import AgeTask, BoxTask, ClassificationTask
from taskweave.experiments.choices.detection import AttributesTask, DetectionTask
from taskweave.experiments.choices.mixture import sets_of
from taskweave.experiments.choices.network import network_of
from taskweave.experiments.choices.task import DepthTask, NormalsTask, OneTask, SegmentationTask
from taskweave.experiments.recipe import Recipe
from taskweave.tasks.age import Age
from taskweave.tasks.box_regression import BoxRegression
from taskweave.tasks.classification import Classification
from taskweave.tasks.dense import PairLoss
from taskweave.tasks.depth import Depth
from taskweave.tasks.normals import Normals
from taskweave.tasks.segmentation import Segmentation
from taskweave.tasks.task import Task

_PIXELS_PER_IMAGE = 500

Trained = Mapping[str, LabelledSet]
"""The train parts of a recipe's data sets, by name."""


def build_tasks(recipe: Recipe, train: Trained | None) -> dict[str, Task]:
    """{name: task}. train: what class weights and codebooks are counted on; None where only shapes matter."""
    return {name: _task(name, choice, recipe, train) for name, choice in recipe.tasks.chosen.items()}


def _task(name: str, choice: OneTask, recipe: Recipe, train: Trained | None) -> Task:
    sets = {key: one for key, one in sets_of(recipe.data).items() if one.labelled_for([name])}
    names = next(iter(sets.values())).names.of(name)
    parts = None if train is None else [train[key] for key in sets]
    match choice:
        case SegmentationTask():
            return _segmentation(choice, names, parts)
        case DepthTask():
            losses: dict[str, PairLoss] = {"l1": F.l1_loss, "l2": F.mse_loss, "huber": F.huber_loss}
            far = next(iter(sets.values())).far
            return Depth(loss=losses[choice.loss], loss_resolution=choice.loss_resolution, far=far)
        case NormalsTask():
            return _normals(choice, parts)
        case DetectionTask():
            return build_detection(choice, network_of(recipe.network, name), names, statistics_of(recipe.data))
        case AttributesTask():
            return build_attributes(choice, names if parts is None else parts[0].attributes)
        case ClassificationTask():
            return Classification(names)
        case BoxTask():
            return BoxRegression(loss=choice.loss, unit=choice.unit)
        case AgeTask():
            return Age()
        case _:
            assert_never(choice)


def _segmentation(choice: SegmentationTask, classes: Sequence[str], train: Sequence[LabelledSet] | None) -> Task:
    from taskweave.tasks.segmentation import median_frequency
    from taskweave.tasks.segmentation_losses import SummedCrossEntropy, dice_loss, focal_loss

    loss: PairLoss | None = SummedCrossEntropy() if choice.summed else None
    if choice.loss != "cross_entropy":
        loss = focal_loss() if choice.loss == "focal" else dice_loss()
    weights = None
    if choice.class_weights == "median_frequency" and train is not None:
        weights = median_frequency(class_counts(train, len(classes)))
    return Segmentation(
        classes,
        loss=loss,
        class_weights=weights,
        loss_resolution=choice.loss_resolution,
        per_image=choice.miou == "per_image",
        target_class=choice.target_class or None,
        image_miou=choice.image_miou,
    )


def _normals(choice: NormalsTask, train: Sequence[LabelledSet] | None) -> Task:
    raw = choice.angles == "raw_uint8"
    if choice.loss != "codebook":
        return Normals(loss=choice.loss, raw_uint8=raw, manhattan=choice.manhattan, loss_resolution=choice.loss_resolution)
    from taskweave.tasks.normal_codebook import NormalsByCodebook, fit_codebook

    book = torch.eye(3).repeat(choice.directions // 3 + 1, 1)[: choice.directions]
    if train is not None:
        book = fit_codebook(_some_normals(train), choice.directions)
    return NormalsByCodebook(book, raw_uint8=raw, manhattan=choice.manhattan, loss_resolution=choice.loss_resolution)


def class_counts(train: Sequence[LabelledSet], classes: int) -> Tensor:
    """(labelled images, classes): labelled pixels of each class in each image."""
    counts: list[Tensor] = []
    for labels in _labels(train, "segmentation"):
        flat = labels.flatten()
        counts.append(torch.bincount(flat[flat < classes], minlength=classes))
    if not counts:
        raise ValueError("class weights are counted on the train part, but none of its images has a segmentation")
    return torch.stack(counts)


def _some_normals(train: Sequence[LabelledSet]) -> Tensor:
    """(N, 3): evenly spaced labelled pixels of every image, enough for k-means and no more."""
    found: list[Tensor] = []
    for normals in _labels(train, "normals"):
        flat = normals.flatten(1).T
        flat = flat[flat.norm(dim=1) >= 0.5]
        found.append(flat[:: max(1, len(flat) // _PIXELS_PER_IMAGE)])
    return torch.cat(found)


def _labels(train: Sequence[LabelledSet], task: str) -> Iterator[Tensor]:
    """A task's dense targets over some data sets."""
    for part in train:
        for index in range(len(part)):
            target = part[index].get(task)
            if target is not None:
                yield torch.as_tensor(target).as_subclass(Tensor)
