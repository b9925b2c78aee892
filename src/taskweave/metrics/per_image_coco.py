"""What each image contributes to COCO's average precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from taskweave.metrics.per_image import Floats, PerImage, check_lengths, weighted_sums
from taskweave.metrics.per_image_ranking import best_from_here, check_ranking, mean_over_classes, reached

_RECALLS = np.linspace(0.0, 1.0, 101)


@final
@dataclass(frozen=True, kw_only=True)
class CocoImages(PerImage):
    """Detections by class and score; image, starts and objects as in `Ranking`.

    right: (n, 2, 10) whether each is right, and whether it counts, at IoU .5, .55, ..., .95.

    Detections of equal score stay in the order of the images. Where an image is drawn several times, its detections of one
    score are taken together, where a list of images has each copy's in turn: the only difference, and a small one.
    Ten times as dear as an average precision at one IoU: 1000 rows of half a million detections take a minute.
    """

    kind: ClassVar[str] = "COCO"

    image: NDArray[Any]
    right: NDArray[np.bool_]
    starts: NDArray[Any]
    objects: NDArray[Any]

    def __post_init__(self) -> None:
        check_lengths("CocoImages", {"image": self.image, "right": self.right}, axes={"image": 1, "right": 3})
        check_ranking("CocoImages", self.image, self.starts, self.objects)

    @property
    def count(self) -> int:
        return len(self.objects)

    @property
    def _width(self) -> int:
        return self.count + 4 * int(np.diff(self.starts).max(initial=0))

    def _scores(self, weights: Floats) -> dict[str, Floats]:
        objects = weighted_sums(weights, self.objects)
        values = np.full((self.right.shape[2], *objects.shape), np.nan)
        for number, (start, end) in enumerate(zip(self.starts[:-1], self.starts[1:], strict=True)):
            times, there = weights[:, self.image[start:end]], objects[:, number]
            for at, value in enumerate(values):
                right, counts = (times * self.right[start:end, i, at] for i in range(2))
                precise = _average_precision(right.cumsum(1), counts.cumsum(1), there)
                value[:, number] = np.where(there > 0, precise, np.nan)
        each = 100.0 * np.stack([mean_over_classes(value) for value in values])
        return {"AP": each.mean(0), "AP50": each[0], "AP75": each[5]}


def _average_precision(right: Floats, counted: Floats, objects: Floats) -> Floats:
    """(B,) the mean over 101 recalls of the highest precision at that recall or more."""
    best = best_from_here(np.where(counted > 0, right / counted, 0.0))
    return np.asarray(reached(right / objects[:, None], best, _RECALLS).mean(1))
