"""How often the class of an image is right, over a whole set of images."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from taskweave.metrics.confusion import check_inside
from taskweave.metrics.gathering import gather_from_anywhere
from taskweave.metrics.per_image_accuracy import AccuracyImages
from taskweave.metrics.per_image_metric import PerImageMetric, rows_of
from taskweave.metrics.shapes import same_shape


@final
class AccuracyMetric(PerImageMetric):
    """ "accuracy": the share of images whose class is right; "class accuracy": its mean over classes. Both in percent.

    ``update(prediction, target)``: (B,) class numbers each, from 0. Counts only, so neither batches nor processes matter.

    The accuracy of a class is the share of its own images that are right (its recall); a class without images has none
    and is left out of the mean. `per_class` has each of them. Guessing the most frequent of C classes gives 100 / C.
    """

    full_state_update = False
    right: Tensor
    images: Tensor
    rows: list[Tensor] | Tensor

    def __init__(self, classes: int) -> None:
        super().__init__(dist_sync_fn=gather_from_anywhere)
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
