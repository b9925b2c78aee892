"""COCO's average precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, final

import numpy as np
import torch
from annotated_types import Ge
from numpy.typing import NDArray
from torch import Tensor

from taskweave.metrics.detection import Answers, DetectionMetric, rank_detections
from taskweave.metrics.detection_images import DetectedImage
from taskweave.metrics.gain import Direction
from taskweave.metrics.per_image import Floats, weighted_sums
from taskweave.metrics.ranking import AnswerImages, best_from_here, mean_over_classes, reached, up_to_points
from taskweave.metrics.refusals import Classes

if TYPE_CHECKING:
    from torchmetrics.detection import MeanAveragePrecision

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""IoU .5, .55, ..., .95."""
_RECALLS = np.linspace(0.0, 1.0, 101)
_NAMES = {"AP": "map", "AP50": "map_50", "AP75": "map_75"}


@final
class CocoAveragePrecision(DetectionMetric):
    """COCO's average precision in percent, computed by faster-coco-eval.

    AP is the mean over IoU .5, .55, ..., .95; AP50 and AP75 are those at IoU .5 and .75.

    At most `detections` per image and 101 recalls, COCO's own rules. Objects to be ignored are crowds: a detection with
    the IoU's share of its area in one does not count. Classes without objects are left out; NaN where there are none.

    Args:
        task: With the classes, their names, or how many.
        detections: So many of the highest-scored of an image count.

    Raises:
        ImportError: On computing, without ``pip install taskweave[detection]``.
    """

    directions: ClassVar[Mapping[str, Direction]] = dict.fromkeys(_NAMES, "higher")

    def __init__(self, task: Classes, *, detections: Annotated[int, Ge(1)] = 100) -> None:
        super().__init__(task)
        if detections < 1:
            raise ValueError(f"CocoAveragePrecision counts at least 1 detection per image, got {detections}")
        self.limit = detections

    def measure(self, images: Sequence[DetectedImage]) -> dict[str, Tensor]:
        metric = _evaluator(self.limit)
        # Equal scores are taken in the order of the images; sorted, batches and processes do not matter.
        for image in sorted(images, key=lambda image: image.order):
            metric.update(
                [{"boxes": image.boxes, "scores": image.scores, "labels": image.labels}],
                [{"boxes": image.true_boxes, "labels": image.true_labels, "iscrowd": image.ignore.long()}],
            )
        if not any((~image.ignore).any() for image in images):
            return {name: torch.tensor(torch.nan, dtype=torch.float64) for name in _NAMES}
        numbers = metric.compute()
        return {name: 100.0 * numbers[key].double() for name, key in _NAMES.items()}

    def by_class(self, images: Sequence[DetectedImage]) -> dict[str, Tensor]:
        """By matching of our own, as `each_image`."""
        return {name: torch.from_numpy(values) for name, values in self.each_image(images).per_class().items()}

    def each_image(self, images: Sequence[DetectedImage]) -> CocoImages:
        """By matching of our own: equal to `measure` but for rounding, which is to float32 there."""
        order = sorted(range(len(images)), key=lambda number: images[number].order)

        def match(image: DetectedImage) -> Answers:
            return match_as_coco(image, self.limit)

        nothing = np.empty((0, 2, len(THRESHOLDS)), bool)
        ranking = rank_detections([images[i] for i in order], len(self.classes), match, like=nothing, ties=False)
        image, objects = np.asarray(order, np.int64)[ranking.image], ranking.objects[np.argsort(order)]
        return CocoImages(**ranking._replace(image=image, objects=objects)._asdict())


@final
@dataclass(frozen=True, kw_only=True)
class CocoImages(AnswerImages):
    """Detections by class and score.

    right: (n, 2, 10) whether each is right, and whether it counts, at IoU .5, .55, ..., .95.

    Detections of equal score stay in the order of the images. Where an image is drawn several times, its detections of one
    score are taken together, where a list of images has each copy's in turn: a small difference.
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


def match_as_coco(image: DetectedImage, limit: int) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Scores (n,), (n, 2, 10) whether a detection is right and whether it counts at each threshold, and the objects.

    From the highest score down, the best `limit` of them: a detection takes the object that it overlaps most among those
    still free; where none is left, it may lie in a crowd (the share of its own area counts as the IoU), which holds any
    number, and then does not count. All others are wrong. Of objects that it overlaps equally the last is taken.
    """
    scores, order = image.scores.double().sort(descending=True, stable=True)
    scores, boxes = scores[:limit], image.boxes[order[:limit]]
    truth = image.true_boxes
    objects, crowds = truth[~image.ignore], truth[image.ignore]
    overlap, inside = _shared(boxes, objects, crowd=False), _shared(boxes, crowds, crowd=True)
    least = np.minimum(THRESHOLDS, 1 - 1e-10)
    right = np.zeros((len(boxes), len(least)), bool)
    free = np.ones((len(least), len(objects)), bool)
    for at in np.flatnonzero((overlap >= least[0]).any(1)):
        fits = free & (overlap[at] >= least[:, None])
        right[at] = fits.any(1)
        best = np.where(fits, overlap[at], -1.0)
        taken = len(objects) - 1 - best[:, ::-1].argmax(1)
        free[right[at], taken[right[at]]] = False
    in_crowd = (inside[:, None] >= least[:, None]).any(-1)
    return scores.numpy(), np.stack([right, right | ~in_crowd], 1), len(objects)


def _evaluator(detections: int) -> MeanAveragePrecision:
    if find_spec("faster_coco_eval") is None:
        raise ImportError("CocoAveragePrecision needs faster-coco-eval: pip install taskweave[detection]")
    from torchmetrics.detection import MeanAveragePrecision

    limits = sorted({1, min(10, detections), detections})
    limits = [1] * (3 - len(limits)) + limits
    metric = MeanAveragePrecision(
        iou_thresholds=THRESHOLDS.tolist(),
        rec_thresholds=np.linspace(0.0, 1.0, 101).tolist(),  # its own are float32, so that 1 of 20 would not reach .05
        max_detection_thresholds=limits,
        backend="faster_coco_eval",
        sync_on_compute=False,  # the images of all processes are here already
    )
    metric.warn_on_many_detections = False  # that the rest does not count is the rule
    return metric


def _average_precision(right: Floats, counted: Floats, objects: Floats) -> Floats:
    """(B,) the mean over 101 recalls of the highest precision at that recall or more."""
    best = best_from_here(np.where(counted > 0, right / counted, 0.0))
    return np.asarray(reached(right / objects[:, None], best, _RECALLS).mean(1))


def _shared(boxes: Tensor, others: Tensor, *, crowd: bool) -> NDArray[np.float64]:
    """(n, m) IoU in float64 of boxes whose sides are rounded to float32, as COCO's x, y, width and height are."""
    low, side = boxes[:, None, :2].double(), (boxes[:, 2:] - boxes[:, :2]).double()[:, None]
    other_low, other_side = others[None, :, :2].double(), (others[:, 2:] - others[:, :2]).double()[None]
    extent = torch.minimum(low + side, other_low + other_side) - torch.maximum(low, other_low)
    shared = extent.clamp(min=0).prod(-1)
    area, other_area = side.prod(-1), other_side.prod(-1)
    joint = area.expand_as(shared) if crowd else area + other_area - shared
    return np.asarray(torch.where(shared > 0, shared / joint, 0.0).numpy())
