"""What each image contributes to COCO's average precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from taskweave.metrics.per_image import Floats, weighted_sums
from taskweave.metrics.per_image_ranking import AnswerImages, best_from_here, mean_over_classes, reached, up_to_points

_RECALLS = np.linspace(0.0, 1.0, 101)


@final
@dataclass(frozen=True, kw_only=True)
class CocoImages(AnswerImages):
    """Detections by class and score.

    right: (n, 2, 10) whether each is right, and whether it counts, at IoU .5, .55, ..., .95.

    Detections of equal score stay in the order of the images. Where an image is drawn several times, its detections of one
    score are taken together, where a list of images has each copy's in turn: the only difference, and a small one.
    Ten times as dear as an average precision at one IoU.
    """

    kind: ClassVar[str] = "COCO"
    _right_axes: ClassVar[int] = 3

    def per_class(self) -> dict[str, Floats]:
        """{number: (classes,)} over all images, in percent; NaN for a class without objects."""
        with np.errstate(divide="ignore", invalid="ignore"):
            each = 100.0 * self._of_classes(np.ones((1, self.count)))[:, 0]
        return {"AP": each.mean(0), "AP50": each[0], "AP75": each[5]}

    def _scores(self, weights: Floats) -> dict[str, Floats]:
        each = 100.0 * np.stack([mean_over_classes(value) for value in self._of_classes(weights)])
        return {"AP": each.mean(0), "AP50": each[0], "AP75": each[5]}

    def _of_classes(self, weights: Floats) -> Floats:
        """(10, B, classes) shares."""
        objects = weighted_sums(weights, self.objects)
        columns = np.ascontiguousarray(weights.T)
        values = np.full((self.right.shape[2], *objects.shape), np.nan)
        for number, (start, end) in enumerate(zip(self.starts[:-1], self.starts[1:], strict=True)):
            image, last, there = self.image[start:end], self.last[start:end], objects[:, number]
            for at, value in enumerate(values):
                right, counted = (up_to_points(columns, image, last, self.right[start:end, i, at]) for i in range(2))
                value[:, number] = np.where(there > 0, _average_precision(right, counted, there), np.nan)
        return values


def _average_precision(right: Floats, counted: Floats, objects: Floats) -> Floats:
    """(B,) the mean over 101 recalls of the highest precision at that recall or more."""
    best = best_from_here(np.where(counted > 0, right / counted, 0.0))
    return np.asarray(reached(right / objects[:, None], best, _RECALLS).mean(1))
