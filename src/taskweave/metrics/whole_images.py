"""Metrics of one answer per image: its class, a number, a box; over a whole set of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskweave.metrics.gain import Direction
from taskweave.metrics.metric import PerImageMetric, exact_median
from taskweave.metrics.per_image import Floats, PerImage, weighted_median, weighted_sums
from taskweave.metrics.refusals import Classes, check_inside, class_names, same_shape


@final
class Accuracy(PerImageMetric):
    """The share of images whose class is right, "accuracy", and its mean over classes, "class accuracy"; in percent.

    ``update(prediction, target)``: (B,) class numbers each, from 0. Counts only, so neither batches nor processes matter.

    The accuracy of a class is the share of its own images that are right (its recall); a class without images has none
    and is left out of the mean. `per_class` has each of them. Guessing the most frequent of C classes gives 100 / C.

    Args:
        task: With the classes, their names, or how many.
    """

    directions: ClassVar[Mapping[str, Direction]] = {"accuracy": "higher", "class accuracy": "higher"}
    right: Tensor
    images: Tensor

    def __init__(self, task: Classes) -> None:
        super().__init__()
        self.classes = len(class_names(task))
        for name in ("right", "images"):
            self.add_state(name, torch.zeros(self.classes, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_rows("answers")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        same_shape("an accuracy", prediction, target, "(B)")
        check_inside(target, "label", self.classes)
        truth = target.long()
        self.images += torch.bincount(truth, minlength=self.classes)
        right = prediction == truth
        self.right += torch.bincount(truth[right], minlength=self.classes)
        self.keep("answers", torch.stack([truth, right.long()], 1))

    def compute(self) -> dict[str, Tensor]:
        overall = 100.0 * self.right.sum().double() / self.images.sum()
        return {"accuracy": overall, "class accuracy": self._per_class().nanmean()}

    def per_class(self) -> Tensor:
        """(classes,) accuracy of each class over the whole set in percent; NaN for a class without images."""
        with self.everywhere():
            return self._per_class()

    def class_scores(self) -> dict[str, Tensor]:
        """The accuracy of each class, whose mean is the class accuracy."""
        return {"class accuracy": self.per_class()}

    def per_image(self) -> AccuracyImages:
        """Each image's class, and whether it was told."""
        with self.everywhere():
            truth, right = self.rows("answers", 2).long().numpy().T
        return AccuracyImages(truth, right > 0, self.classes)

    def _per_class(self) -> Tensor:
        return 100.0 * self.right.double() / self.images


@final
@dataclass(frozen=True)
class AccuracyImages(PerImage):
    """Each image's class, and whether it was predicted.

    Args:
        labels: (images,) true classes, from 0.
        right: (images,) whether the prediction is right.
        classes: The number of classes.
    """

    kind: ClassVar[str] = "accuracy"
    axes: ClassVar[Mapping[str, int]] = {"labels": 1, "right": 1}

    labels: NDArray[Any]
    right: NDArray[np.bool_]
    classes: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.count and not (self.labels.min() >= 0 and self.labels.max() < self.classes):
            raise ValueError(
                f"AccuracyImages has labels {self.labels.min()}..{self.labels.max()} of {self.classes} classes"
            )

    def _scores(self, weights: Floats) -> dict[str, Floats]:
        of_class = np.eye(self.classes)[self.labels]
        right, images = weights @ (of_class * self.right[:, None]), weights @ of_class
        there = images > 0
        shares = np.where(there, right / images, 0.0)
        return {
            "accuracy": 100.0 * right.sum(1) / images.sum(1),
            "class accuracy": 100.0 * shares.sum(1) / there.sum(1),
        }


class _Mean(PerImageMetric):
    """A mean over images, and the number of each."""

    total: Tensor
    images: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("images", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_rows("each")

    def take(self, each: Tensor) -> None:
        """Add the numbers (B,) of some images."""
        self.total += each.sum()
        self.images += len(each)
        self.keep("each", each)


@final
class AbsoluteError(_Mean):
    """The mean and the median of |prediction - target| over all images, "mean AE" and "median AE", in their unit (years).

    ``update(prediction, target)``: (B,) numbers each. The median is exact: of an even number the mean of the middle two,
    however the set is split; to float32. For it every error is kept in main memory, 8 bytes an image, and exchanged
    between processes when the numbers are computed.
    """

    directions: ClassVar[Mapping[str, Direction]] = {"mean AE": "lower", "median AE": "lower"}

    def update(self, prediction: Tensor, target: Tensor) -> None:
        same_shape("an absolute error", prediction, target, "(B)")
        errors = (prediction.double() - target.double()).abs()
        self.take(errors)

    def compute(self) -> dict[str, Tensor]:
        median = exact_median([self.rows("each").float()[:, 0]])
        return {"mean AE": self.total / self.images, "median AE": median.to(self.total.device)}

    def per_image(self) -> AbsoluteErrorImages:
        """The error of each image."""
        with self.everywhere():
            return AbsoluteErrorImages(self.rows("each")[:, 0].numpy())


@final
@dataclass(frozen=True)
class AbsoluteErrorImages(PerImage):
    """One error per image, (images,): |prediction - target|."""

    kind: ClassVar[str] = "absolute error"
    axes: ClassVar[Mapping[str, int]] = {"errors": 1}

    errors: Floats

    def _scores(self, weights: Floats) -> dict[str, Floats]:
        mean = weighted_sums(weights, self.errors) / weights.sum(1)
        return {"mean AE": mean, "median AE": weighted_median(weights, self.errors.astype(np.float32))}


LEAST = 1e-14
"""An area below which a quotient is taken by this instead: boxes of a ten-millionth of the unit a side."""


@final
class BoxOverlap(_Mean):
    """The mean over images of the IoU of the predicted with the true box, "IoU", in percent.

    ``update(prediction, target)``: predictions (B, 1, 4) as x1, y1, x2, y2; targets the same, or one mapping per image with
    "boxes" (1, 4), in the same unit. A sum and a count, so every image of the set weighs the same, whichever batch or
    process it is in (the Pet paper's public code keeps the last batch of its three-task test).
    """

    directions: ClassVar[Mapping[str, Direction]] = {"IoU": "higher"}

    def update(self, prediction: Tensor, target: Tensor | Sequence[Mapping[str, Any]]) -> None:
        guess, truth = prediction, target if isinstance(target, Tensor) else boxes_in(target)
        if guess.shape != truth.shape or tuple(guess.shape[1:]) != (1, 4):
            raise ValueError(
                f"a box IoU expects one box per image and as many predictions as targets, (B, 1, 4), got "
                f"{tuple(guess.shape)} and {tuple(truth.shape)}; give those of the same images"
            )
        each = paired_iou(guess[:, 0].double(), truth[:, 0].to(guess.device).double())
        self.take(each)

    def compute(self) -> dict[str, Tensor]:
        return {"IoU": 100.0 * self.total / self.images}

    def per_image(self) -> BoxIoUImages:
        """The IoU of each image."""
        with self.everywhere():
            return BoxIoUImages(self.rows("each")[:, 0].numpy())


@final
@dataclass(frozen=True)
class BoxIoUImages(PerImage):
    """One IoU per image, (images,), a share."""

    kind: ClassVar[str] = "box IoU"
    axes: ClassVar[Mapping[str, int]] = {"ious": 1}

    ious: Floats

    def _scores(self, weights: Floats) -> dict[str, Floats]:
        return {"IoU": 100.0 * weighted_sums(weights, self.ious) / weights.sum(1)}


def boxes_in(targets: Sequence[Mapping[str, Any]]) -> Tensor:
    """The "boxes" (1, 4) of the targets of several images, (B, 1, 4)."""
    return torch.stack([target["boxes"].as_subclass(Tensor) for target in targets])


def paired_iou(first: Tensor, second: Tensor) -> Tensor:
    """(...,): shared area over joint area of boxes (..., 4) with x1 <= x2, y1 <= y2; 0 where both have no area.

    Differentiable, with finite gradients for boxes without extent, too.
    """
    low = torch.maximum(first[..., :2], second[..., :2])
    high = torch.minimum(first[..., 2:], second[..., 2:])
    shared = _area((high - low).clamp(min=0))
    joint = _area(first[..., 2:] - first[..., :2]) + _area(second[..., 2:] - second[..., :2]) - shared
    return shared / joint.clamp(min=LEAST)


def _area(sides: Tensor) -> Tensor:
    return sides[..., 0] * sides[..., 1]
