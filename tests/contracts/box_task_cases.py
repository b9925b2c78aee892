"""The tasks with boxes that keep the contract. A new one joins by one line in BOX_CASES."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision import tv_tensors

from taskweave.heads.layers import AnchorOutputs, RoiAttributes, RoiOutputs
from taskweave.metrics import AveragePrecision, LogAverageMissRate
from taskweave.parts import part
from taskweave.tasks import Attributes, Detection, RoiDetection, Task

SIZE = (80, 120)
PLACES = torch.tensor([[x, y, x + 20.0, y + 20.0] for y in (0.0, 30, 60) for x in (0.0, 30, 60, 90)])
"""Twelve boxes that do not touch: the anchors, the proposals, and where objects are."""
CLASSES, ATTRIBUTES = 3, 5


@dataclass(frozen=True)
class Labelled:
    """What images hold: the targets of the metric, and those of the loss for `PLACES` as anchors or regions."""

    targets: list[dict[str, Any]]
    loss_targets: list[dict[str, Any]]


@dataclass(frozen=True)
class BoxCase:
    """A task, and what the suite must know to ask it questions.

    images: (n) -> labels of n images; nothing: of n images in which nothing is labelled.
    perfect: labels -> the outputs that are right.  random: (n) -> outputs with values of a normal distribution.
    """

    name: str
    make: Callable[[], Task]
    images: Callable[[int], Labelled]
    nothing: Callable[[int], Labelled]
    perfect: Callable[[Labelled], Any]
    random: Callable[[int], Any]


def boxes(values: Tensor) -> tv_tensors.BoundingBoxes:
    return tv_tensors.BoundingBoxes(values, format="XYXY", canvas_size=SIZE)


def _detected(n: int) -> Labelled:
    """Every class is in every image, and so are places without an object."""
    labels = [
        torch.cat([torch.arange(CLASSES + 1), torch.randint(0, CLASSES + 1, (8,))])[torch.randperm(12)] for _ in range(n)
    ]
    return _from_labels(labels, ignore=False)


def _ignored(n: int) -> Labelled:
    return _from_labels([torch.ones(12, dtype=torch.int64)] * n, ignore=True)


def _from_labels(labels: Sequence[Tensor], *, ignore: bool) -> Labelled:
    targets = [
        {"boxes": boxes(PLACES[row > 0]), "labels": row[row > 0], "ignore": torch.full((int((row > 0).sum()),), ignore)}
        for row in labels
    ]
    regions = [{"labels": row.masked_fill(row > -1, -1) if ignore else row, "deltas": torch.zeros(12, 4)} for row in labels]
    return Labelled(targets, regions)


def _anchored(labelled: Labelled) -> Labelled:
    return Labelled(labelled.targets, labelled.targets)


def _sure(labelled: Labelled) -> Tensor:
    rows = torch.zeros(len(labelled.targets), 12, dtype=torch.int64)
    for row, target in zip(rows, labelled.targets, strict=True):
        row[torch.cdist(target["boxes"].as_subclass(Tensor), PLACES).argmin(1)] = target["labels"]
    return 30.0 * F.one_hot(rows, CLASSES + 1).float()


def _with_values(n: int) -> Labelled:
    values = [(torch.rand(12, ATTRIBUTES) < 0.5).float().index_fill(0, torch.tensor([i % 12]), 1.0) for i in range(n)]
    for value in values:
        value[torch.rand(12, ATTRIBUTES) < 0.1] = torch.nan
        value[0], value[1] = 1.0, 0.0
    return _from_values(values)


def _from_values(values: Sequence[Tensor]) -> Labelled:
    targets = [{"boxes": boxes(PLACES), "labels": torch.ones(12, dtype=torch.int64), "values": part} for part in values]
    return Labelled(targets, [{"values": part} for part in values])


def _rois(n: int) -> tuple[Tensor, ...]:
    return (PLACES,) * n


def _attribute_outputs(labelled: Labelled) -> RoiAttributes:
    values = torch.cat([target["values"] for target in labelled.targets])
    return RoiAttributes(60.0 * values.nan_to_num(0.5) - 30.0, _rois(len(labelled.targets)))


def _attribute_noise(n: int) -> RoiAttributes:
    return RoiAttributes(torch.randn(12 * n, ATTRIBUTES), _rois(n))


def _no_values(n: int) -> Labelled:
    return _from_values([torch.full((12, ATTRIBUTES), torch.nan)] * n)


BOX_CASES = [
    BoxCase("detection",
            lambda: Detection(CLASSES, sample=None, score=0.0),
            lambda n: _anchored(_detected(n)), lambda n: _anchored(_ignored(n)),
            lambda y: AnchorOutputs(_sure(y), torch.zeros(len(y.targets), 12, 4), PLACES),
            lambda n: AnchorOutputs(torch.randn(n, 12, CLASSES + 1), torch.randn(n, 12, 4), PLACES)),
    BoxCase("detection, sampled, two metrics",
            lambda: Detection(["car", "van", "cat"], score=0.0,
                              metrics=(part(LogAverageMissRate), part(AveragePrecision, interpolation="11-point"))),
            lambda n: _anchored(_detected(n)), lambda n: _anchored(_ignored(n)),
            lambda y: AnchorOutputs(_sure(y), torch.zeros(len(y.targets), 12, 4), PLACES),
            lambda n: AnchorOutputs(torch.randn(n, 12, CLASSES + 1), torch.randn(n, 12, 4), PLACES)),
    BoxCase("detection of regions", lambda: RoiDetection(CLASSES, score=0.0, nms=0.5),
            _detected, _ignored,
            lambda y: RoiOutputs(_sure(y).flatten(0, 1), torch.zeros(12 * len(y.targets), 4 * CLASSES + 4),
                                 _rois(len(y.targets))),
            lambda n: RoiOutputs(torch.randn(12 * n, CLASSES + 1), torch.randn(12 * n, 4 * CLASSES + 4), _rois(n))),
    BoxCase("attributes", lambda: Attributes(ATTRIBUTES), _with_values, _no_values, _attribute_outputs, _attribute_noise),
    BoxCase("attributes on detections", lambda: Attributes(ATTRIBUTES, measured_on="detections", score=0.0, nms=0.5),
            _with_values, _no_values, _attribute_outputs, _attribute_noise),
]  # fmt: skip
