"""From the images that a detector saw to what each contributes to a measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskweave.metrics.detection_images import DetectedImage
from taskweave.metrics.detection_matching import Matching
from taskweave.metrics.per_image_ranking import Ranked, Ranking, rank

Answers = tuple[NDArray[Any], NDArray[Any], int]
"""Of one class in one image: scores (n,), `right` as in `Ranked`, and how many objects there are to be found."""


def rank_detections(
    images: Sequence[DetectedImage],
    classes: int,
    match: Callable[[DetectedImage], Answers],
    *,
    like: NDArray[Any],
    ties: bool = True,
) -> Ranking:
    """The ranking of what `match` says of each class in each image.  like: `right` of no answers.  ties: as of `rank`."""
    objects = np.zeros((len(images), classes), np.int64)
    found: list[list[Ranked]] = [[Ranked(np.empty(0, np.int64), np.empty(0), like)] for _ in range(classes)]
    for number, image in enumerate(images):
        for label in {*image.labels.tolist(), *image.true_labels.tolist()}:
            scores, right, objects[number, label - 1] = match(image.of_class(label))
            found[label - 1].append(Ranked(np.full(len(scores), number), scores, right))
    joined = [Ranked(*(np.concatenate(column) for column in zip(*parts, strict=True))) for parts in found]
    return rank(joined, objects, ties=ties)


def ranking_of(images: Sequence[DetectedImage], classes: int, matching: Matching, iou: float) -> Ranking:
    """The ranking of detections that are matched in one way."""

    def match(image: DetectedImage) -> Answers:
        scores, right, objects = matching(image, iou)
        return scores.numpy(), right.numpy(), objects

    return rank_detections(images, classes, match, like=np.empty(0, bool))
