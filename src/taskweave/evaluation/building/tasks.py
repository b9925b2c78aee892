"""From task choices to tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import torch
import torch.nn.functional as F
from torch import Tensor

from taskweave.data.dataset import LabelledSet
from taskweave.evaluation.choices.task import DepthTask, NormalsTask, SegmentationTask, Tasks
from taskweave.tasks.dense import PairLoss
from taskweave.tasks.depth import Depth
from taskweave.tasks.normals import Normals
from taskweave.tasks.segmentation import Segmentation
from taskweave.tasks.task import Task

_PIXELS_PER_IMAGE = 500


def build_tasks(choices: Tasks, classes: Sequence[str], train: LabelledSet | None) -> dict[str, Task]:
    """{name: task}. train: what class weights and codebooks are counted on; None where only shapes matter."""
    return {name: _task(choice, classes, train) for name, choice in choices.chosen.items()}


def _task(choice: SegmentationTask | DepthTask | NormalsTask, classes: Sequence[str], train: LabelledSet | None) -> Task:
    match choice:
        case SegmentationTask():
            return _segmentation(choice, classes, train)
        case DepthTask():
            losses: dict[str, PairLoss] = {"l1": F.l1_loss, "l2": F.mse_loss, "huber": F.huber_loss}
            return Depth(loss=losses[choice.loss], loss_resolution=choice.loss_resolution)
        case NormalsTask():
            return _normals(choice, train)
        case _:
            assert_never(choice)


def _segmentation(choice: SegmentationTask, classes: Sequence[str], train: LabelledSet | None) -> Task:
    from taskweave.tasks.segmentation import median_frequency
    from taskweave.tasks.segmentation_losses import dice_loss, focal_loss

    loss: PairLoss | None = None
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
    )


def _normals(choice: NormalsTask, train: LabelledSet | None) -> Task:
    raw = choice.angles == "raw_uint8"
    if choice.loss != "codebook":
        return Normals(loss=choice.loss, raw_uint8=raw, manhattan=choice.manhattan, loss_resolution=choice.loss_resolution)
    from taskweave.tasks.normal_codebook import NormalsByCodebook, fit_codebook

    book = torch.eye(3).repeat(choice.directions // 3 + 1, 1)[: choice.directions]
    if train is not None:
        book = fit_codebook(_some_normals(train), choice.directions)
    return NormalsByCodebook(book, raw_uint8=raw, manhattan=choice.manhattan, loss_resolution=choice.loss_resolution)


def class_counts(train: LabelledSet, classes: int) -> Tensor:
    """(labelled images, classes): labelled pixels of each class in each image."""
    counts: list[Tensor] = []
    for index in range(len(train)):
        labels = train[index].get("segmentation")
        if labels is not None:
            flat = torch.as_tensor(labels).as_subclass(Tensor).flatten()
            counts.append(torch.bincount(flat[flat < classes], minlength=classes))
    if not counts:
        raise ValueError("class weights are counted on the train part, but none of its images has a segmentation")
    return torch.stack(counts)


def _some_normals(train: LabelledSet) -> Tensor:
    """(N, 3): evenly spaced labelled pixels of every image, enough for k-means and no more."""
    found: list[Tensor] = []
    for index in range(len(train)):
        normals = train[index].get("normals")
        if normals is not None:
            flat = torch.as_tensor(normals).as_subclass(Tensor).flatten(1).T
            flat = flat[flat.norm(dim=1) >= 0.5]
            found.append(flat[:: max(1, len(flat) // _PIXELS_PER_IMAGE)])
    return torch.cat(found)
