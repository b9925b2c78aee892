"""How good detections are, over a whole set of images: what every protocol of measuring them shares."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskweave.metrics.detection_images import (
    DetectedImage,
    Matching,
    Points,
    Subset,
    by_class,
    detected_image,
    operating_points,
)
from taskweave.metrics.gain import Direction
from taskweave.metrics.metric import PerImageMetric
from taskweave.metrics.per_image import Curve, PerImage
from taskweave.metrics.ranking import Ranked, Ranking, rank
from taskweave.metrics.refusals import Classes, class_names

_SAID, _THERE = 6, 7

Answers = tuple[NDArray[Any], NDArray[Any], int]
"""Of one class in one image: scores (n,), `right` as in `Ranked`, and how many objects there are to be found."""


class DetectionMetric(PerImageMetric):
    """One protocol of measuring detections, from every detection and every true object of the set.

    ``update(predictions, targets)``: two lists, one mapping per image; predictions with boxes, scores, labels (after
    suppression), targets with boxes, labels and optionally ignore and visible, both in the pixels of one image.

    Detections and objects are kept as float32 in main memory (24 and 28 bytes each) and exchanged between processes when
    the numbers are computed; how images are split into batches and processes changes nothing.

    Args:
        task: With the classes 1..C, their names, or how many; names are for curves.
    """

    def __init__(self, task: Classes) -> None:
        super().__init__()
        self.classes = class_names(task, first=1)
        self.add_rows("detections", "objects", "counts")

    @abstractmethod
    def measure(self, images: Sequence[DetectedImage]) -> dict[str, Tensor]:
        """Its numbers over all images; the order of the images must not matter."""

    @abstractmethod
    def each_image(self, images: Sequence[DetectedImage]) -> PerImage:
        """What each image contributes to its numbers, in the order given."""

    def by_class(self, images: Sequence[DetectedImage]) -> dict[str, Tensor]:
        """Its numbers by class, (classes,) each, NaN for a class without objects; {} for a metric without such."""
        return {}

    def curves_of(self, images: Sequence[DetectedImage]) -> list[Curve]:
        """Its curve for each class that has objects; [] for a metric without curves."""
        return []

    def truth(self, target: Mapping[str, Any]) -> Mapping[str, Any]:
        """A target as boxes with labels, for a metric that is given another kind."""
        return target

    def update(self, prediction: Sequence[Mapping[str, Any]], target: Sequence[Mapping[str, Any]]) -> None:
        if len(prediction) != len(target):
            raise ValueError(
                f"a detection metric expects one prediction per target, got {len(prediction)} and {len(target)}; "
                "give those of the same images"
            )
        images = [detected_image(said, self.truth(there)) for said, there in zip(prediction, target, strict=True)]
        for image in images:
            self._check(image)
        for image in images:
            said = torch.cat([image.boxes, image.scores[:, None], image.labels[:, None]], 1)
            there = torch.cat([image.true_boxes, *(column[:, None].float() for column in image[4:])], 1)
            self.keep("detections", said)
            self.keep("objects", there)
            self.keep("counts", torch.tensor([len(said), len(there)], dtype=torch.float32))

    def compute(self) -> dict[str, Tensor]:
        return self.measure(self._images())

    def curves(self) -> list[Curve]:
        """The curves over the whole set, for `taskweave.reporting.draw_curves`."""
        return self.curves_of(self._all_images())

    def class_scores(self) -> dict[str, Tensor]:
        """The numbers by class over the whole set, whose means those of the set are."""
        return self.by_class(self._all_images())

    def per_image(self) -> PerImage:
        return self.each_image(self._all_images())

    def counts_per_class(self) -> Tensor:
        """int64 (classes,): how many objects of each class there are, without those to be ignored."""
        labels = [image.true_labels[~image.ignore] for image in self._all_images()]
        return torch.bincount(torch.cat([torch.empty(0, dtype=torch.int64), *labels]), minlength=len(self.classes) + 1)[1:]

    def _all_images(self) -> list[DetectedImage]:
        """The images of all processes."""
        with self.everywhere():
            return self._images()

    def _images(self) -> list[DetectedImage]:
        """All images, in the order in which they came."""
        said_counts, there_counts = self.rows("counts", 2).long().T.tolist()
        said = torch.split(self.rows("detections", _SAID), said_counts)
        there = torch.split(self.rows("objects", _THERE), there_counts)
        return [_unpacked(*pair) for pair in zip(said, there, strict=True)]

    def _check(self, image: DetectedImage) -> None:
        for what, labels in (("a detection", image.labels), ("an object", image.true_labels)):
            outside = labels[(labels < 1) | (labels > len(self.classes))]
            if len(outside):
                raise ValueError(
                    f"{what} has the label {int(outside[0])}, outside the {len(self.classes)} classes "
                    f"(1..{len(self.classes)}; 0 is background); map it when reading the data"
                )
        if not image.scores.isfinite().all():
            score = float(image.scores[~image.scores.isfinite()][0])
            raise ValueError(f"a detection has the score {score}, expected a finite number; check the network's output")


class MatchedMetric(DetectionMetric):
    """A number from each class's operating points, and its mean over the classes that have objects."""

    matching: ClassVar[Matching]
    better: ClassVar[Direction]
    curve: ClassVar[Mapping[str, Any]]
    """The names of its curves' axes, and whether they are logarithmic."""

    def __init__(self, task: Classes, name: str, iou: float, subset: Subset) -> None:
        super().__init__(task)
        if not 0 < iou <= 1:
            raise ValueError(f"{type(self).__name__} matches at an IoU above 0 and at most 1, got {iou}")
        self.name, self.iou, self.subset = name, iou, subset

    @abstractmethod
    def of_points(self, points: Points, images: int) -> Tensor:
        """The number of a class, a share; NaN where it has no objects."""

    @staticmethod
    @abstractmethod
    def curve_of(points: Points, images: int) -> tuple[Tensor, Tensor]:
        """x and y of the curve of a class that has objects, float64 (k,)."""

    @property
    def directions(self) -> Mapping[str, Direction]:
        return {self.name: self.better}

    def measure(self, images: Sequence[DetectedImage]) -> dict[str, Tensor]:
        return {self.name: self.by_class(images)[self.name].nanmean()}

    def by_class(self, images: Sequence[DetectedImage]) -> dict[str, Tensor]:
        return {self.name: 100.0 * torch.stack([self.of_points(points, len(images)) for points in self._points(images)])}

    def curves_of(self, images: Sequence[DetectedImage]) -> list[Curve]:
        points = zip(self.classes, self._points(images), strict=True)
        return curves({name: self.curve_of(of, len(images)) for name, of in points if of.objects}, **self.curve)

    def ranking(self, images: Sequence[DetectedImage]) -> Ranking:
        """What `RankedImages` are made of."""

        def match(image: DetectedImage) -> Answers:
            scores, right, objects = type(self).matching(image, self.iou)
            return scores.numpy(), right.numpy(), objects

        return rank_detections(self.subset.of(images), len(self.classes), match, like=np.empty(0, bool))

    def _points(self, images: Sequence[DetectedImage]) -> list[Points]:
        parts = by_class(self.subset.of(images), len(self.classes))
        return [operating_points(part, type(self).matching, self.iou) for part in parts]


def curves(points: Mapping[str, tuple[Tensor, Tensor]], **axes: Any) -> list[Curve]:
    """Return one curve per class from its x and y.

    Args:
        axes: As in `Curve`.
    """
    return [Curve(name, tuple(x.tolist()), tuple(y.tolist()), **axes) for name, (x, y) in points.items()]


def rank_detections(
    images: Sequence[DetectedImage],
    classes: int,
    match: Callable[[DetectedImage], Answers],
    *,
    like: NDArray[Any],
    ties: bool = True,
) -> Ranking:
    """Match the detections of every class in every image and rank them by score.

    Args:
        classes: The number of classes.
        match: Returns the matched answers of one class in one image.
        like: An empty `right`: its dtype and trailing axes serve classes without answers.
        ties: As in `rank`.
    """
    objects = np.zeros((len(images), classes), np.int64)
    found: list[list[Ranked]] = [[Ranked(np.empty(0, np.int64), np.empty(0), like)] for _ in range(classes)]
    for number, image in enumerate(images):
        for label in {*image.labels.tolist(), *image.true_labels.tolist()}:
            scores, right, objects[number, label - 1] = match(image.of_class(label))
            found[label - 1].append(Ranked(np.full(len(scores), number), scores, right))
    joined = [Ranked(*(np.concatenate(column) for column in zip(*parts, strict=True))) for parts in found]
    return rank(joined, objects, ties=ties)


def _unpacked(said: Tensor, there: Tensor) -> DetectedImage:
    return DetectedImage(
        said[:, :4], said[:, 4], said[:, 5].long(), there[:, :4], there[:, 4].long(), there[:, 5] > 0, there[:, 6]
    )
