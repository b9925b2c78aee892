"""What each image contributes to how often its class is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from taskweave.metrics.per_image import Floats, PerImage, check_lengths


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
