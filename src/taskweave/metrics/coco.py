"""COCO's average precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, final

import numpy as np
import torch
from torch import Tensor

from taskweave.metrics.coco_matching import THRESHOLDS, match_as_coco
from taskweave.metrics.detection_images import DetectedImage, DetectionMeasure
from taskweave.metrics.gain import Direction
from taskweave.metrics.per_image_coco import CocoImages
from taskweave.metrics.per_image_detection import Answers, rank_detections

if TYPE_CHECKING:
    from torchmetrics.detection import MeanAveragePrecision

_NAMES = {"AP": "map", "AP50": "map_50", "AP75": "map_75"}


@final
@dataclass(frozen=True)
class CocoAveragePrecision(DetectionMeasure):
    """AP (the mean over IoU .5, .55, ..., .95), AP50 and AP75 in percent, computed by faster-coco-eval.

    At most `detections` per image and 101 recalls, COCO's own rules. Objects to be ignored are crowds: a detection with
    the IoU's share of its area in one does not count. Classes without objects are left out; NaN where there are none.
    Raises ImportError without ``pip install taskweave[detection]``.
    """

    detections: int = 100

    def __post_init__(self) -> None:
        if self.detections < 1:
            raise ValueError(f"CocoAveragePrecision counts at least 1 detection per image, got {self.detections}")

    @property
    def directions(self) -> Mapping[str, Direction]:
        return dict.fromkeys(_NAMES, "higher")

    def measure(self, images: Sequence[DetectedImage], classes: int) -> dict[str, Tensor]:
        metric = _evaluator(self.detections)
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

    def per_class(self, images: Sequence[DetectedImage], classes: int) -> dict[str, Tensor]:
        """By matching of our own, as `per_image`."""
        return {name: torch.from_numpy(values) for name, values in self.per_image(images, classes).per_class().items()}

    def per_image(self, images: Sequence[DetectedImage], classes: int) -> CocoImages:
        """By matching of our own: equal to `measure` but for rounding, which is to float32 there."""
        order = sorted(range(len(images)), key=lambda number: images[number].order)

        def match(image: DetectedImage) -> Answers:
            return match_as_coco(image, self.detections)

        nothing = np.empty((0, 2, len(THRESHOLDS)), bool)
        ranking = rank_detections([images[i] for i in order], classes, match, like=nothing, ties=False)
        image, objects = np.asarray(order, np.int64)[ranking.image], ranking.objects[np.argsort(order)]
        return CocoImages(**ranking._replace(image=image, objects=objects)._asdict())


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
