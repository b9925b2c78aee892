"""How good detections are, over a whole set of images: what every protocol of measuring them shares."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskweave.metrics.curve import Curve
from taskweave.metrics.detection_images import DetectedImage, Matching, detected_image
from taskweave.metrics.metric import PerImageMetric
from taskweave.metrics.per_image import PerImage
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

    detections: list[Tensor] | Tensor
    objects: list[Tensor] | Tensor
    counts: list[Tensor] | Tensor

    def __init__(self, task: Classes) -> None:
        super().__init__()
        self.classes = class_names(task, first=1)
        # Flat: a process without images holds an empty vector, which only flat ones can be joined to.
        for name in ("detections", "objects", "counts"):
            self.add_state(name, [], dist_reduce_fx="cat")

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
            self._keep("detections", said)
            self._keep("objects", there)
            self._keep("counts", torch.tensor([len(said), len(there)], dtype=torch.float32))

    def compute(self) -> dict[str, Tensor]:
        return self.measure(self._images())

    def curves(self) -> list[Curve]:
        """The curves over the whole set, for `taskweave.reporting.draw_curves`."""
        return self.curves_of(self._everywhere())

    def class_scores(self) -> dict[str, Tensor]:
        """The numbers by class over the whole set, whose means those of the set are."""
        return self.by_class(self._everywhere())

    def per_image(self) -> PerImage:
        return self.each_image(self._everywhere())

    def counts_per_class(self) -> Tensor:
        """int64 (classes,): how many objects of each class there are, without those to be ignored."""
        labels = [image.true_labels[~image.ignore] for image in self._everywhere()]
        return torch.bincount(torch.cat([torch.empty(0, dtype=torch.int64), *labels]), minlength=len(self.classes) + 1)[1:]

    def _everywhere(self) -> list[DetectedImage]:
        """The images of all processes."""
        with self.sync_context(dist_sync_fn=self.dist_sync_fn):
            return self._images()

    def _keep(self, name: str, values: Tensor) -> None:
        getattr(self, name).append(values.flatten())

    def _images(self) -> list[DetectedImage]:
        """All images, in the order in which they came."""
        flat = [_joined(values) for values in (self.detections, self.objects, self.counts)]
        said_counts, there_counts = flat[2].view(-1, 2).long().T.tolist()
        said = torch.split(flat[0].view(-1, _SAID), said_counts)
        there = torch.split(flat[1].view(-1, _THERE), there_counts)
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


def check_iou(owner: str, iou: float) -> None:
    """Raise ValueError unless it is a share above 0."""
    if not 0 < iou <= 1:
        raise ValueError(f"{owner} matches at an IoU above 0 and at most 1, got {iou}")


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


def _joined(values: list[Tensor] | Tensor) -> Tensor:
    chunks = values if isinstance(values, list) else [values]
    return torch.cat([torch.empty(0), *(chunk.cpu() for chunk in chunks)])


def _unpacked(said: Tensor, there: Tensor) -> DetectedImage:
    return DetectedImage(
        said[:, :4], said[:, 4], said[:, 5].long(), there[:, :4], there[:, 4].long(), there[:, 5] > 0, there[:, 6]
    )
