"""How often the class of an image is right, over a whole set of images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskweave.metrics.gain import Direction
from taskweave.metrics.metric import PerImageMetric, rows_of
from taskweave.metrics.per_image import Floats, PerImage, check_lengths
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
    rows: list[Tensor] | Tensor

    def __init__(self, task: Classes) -> None:
        super().__init__()
        classes = len(class_names(task))
        self.classes = classes
        self.add_state("right", torch.zeros(classes, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("images", torch.zeros(classes, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("rows", [], dist_reduce_fx="cat")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        same_shape("an accuracy", prediction, target, "(B)")
        check_inside(target, "label", self.classes)
        truth = target.long()
        self.images += torch.bincount(truth, minlength=self.classes)
        right = prediction == truth
        self.right += torch.bincount(truth[right], minlength=self.classes)
        assert isinstance(self.rows, list)  # a tensor only while synchronised, when updates are refused
        self.rows.append(torch.stack([truth, right.long()], 1).flatten())

    def compute(self) -> dict[str, Tensor]:
        overall = 100.0 * self.right.sum().double() / self.images.sum()
        return {"accuracy": overall, "class accuracy": self._per_class().nanmean()}

    def per_class(self) -> Tensor:
        """(classes,) accuracy of each class over the whole set in percent; NaN for a class without images."""
        with self.sync_context(dist_sync_fn=self.dist_sync_fn):
            return self._per_class()

    def class_scores(self) -> dict[str, Tensor]:
        """The accuracy of each class, whose mean is the class accuracy."""
        return {"class accuracy": self.per_class()}

    def per_image(self) -> AccuracyImages:
        """Each image's class, and whether it was told."""
        with self.sync_context(dist_sync_fn=self.dist_sync_fn):
            truth, right = rows_of(self.rows, 2).astype(int).T
        return AccuracyImages(truth, right > 0, self.classes)

    def _per_class(self) -> Tensor:
        return 100.0 * self.right.double() / self.images


@final
@dataclass(frozen=True)
class AccuracyImages(PerImage):
    """labels: (images,) true classes from 0.  right: (images,) whether they were told.  classes: how many there are."""

    kind: ClassVar[str] = "accuracy"

    labels: NDArray[Any]
    right: NDArray[np.bool_]
    classes: int

    def __post_init__(self) -> None:
        check_lengths("AccuracyImages", {"labels": self.labels, "right": self.right}, axes={"labels": 1, "right": 1})
        if self.count and not (self.labels.min() >= 0 and self.labels.max() < self.classes):
            raise ValueError(
                f"AccuracyImages has labels {self.labels.min()}..{self.labels.max()} of {self.classes} classes"
            )

    @property
    def count(self) -> int:
        return len(self.labels)

    def _scores(self, weights: Floats) -> dict[str, Floats]:
        of_class = np.eye(self.classes)[self.labels]
        right, images = weights @ (of_class * self.right[:, None]), weights @ of_class
        there = images > 0
        shares = np.where(there, right / images, 0.0)
        return {
            "accuracy": 100.0 * right.sum(1) / images.sum(1),
            "class accuracy": 100.0 * shares.sum(1) / there.sum(1),
        }
