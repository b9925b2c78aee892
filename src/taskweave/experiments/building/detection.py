"""From the choices of tasks on boxes to tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from taskweave.experiments.choices.detection import (
    AttributesTask,
    COCOAveragePrecision,
    DetectionTask,
    LogAverageMissRate,
    Measure,
    VOCAveragePrecision,
)
from taskweave.experiments.choices.network import FastRCNNAlexNet, OneNetwork, TorchvisionDetector
from taskweave.images import ImageStatistics
from taskweave.metrics import average_precision, coco, miss_rate
from taskweave.metrics.detection_images import DetectionMeasure
from taskweave.metrics.detection_subset import Subset
from taskweave.tasks.anchor_loss import AnchorLoss
from taskweave.tasks.attributes import Attributes
from taskweave.tasks.detection import Detection
from taskweave.tasks.detection_soft import Suppression
from taskweave.tasks.roi_detection import RoiDetection
from taskweave.tasks.task import Task
from taskweave.tasks.torchvision_detection import TorchvisionDetection


def build_detection(
    choice: DetectionTask, network: OneNetwork, classes: Sequence[str], statistics: ImageStatistics
) -> Task:
    """The task as its network has it: with anchors, of given regions, or torchvision's."""
    measures = [_measure(measure) for measure in choice.measures]
    rule = Suppression(nms=choice.nms, score=choice.score, detections=choice.detections)
    if isinstance(network, TorchvisionDetector):
        return TorchvisionDetection(classes, prepare=statistics.restore, metrics=measures, shown=choice.shown)
    if isinstance(network, FastRCNNAlexNet):
        return RoiDetection(classes, metrics=measures, suppression=rule, box_weight=choice.box_weight, shown=choice.shown)
    m = choice.matching
    loss = AnchorLoss(
        positive=m.positive,
        negative=m.negative,
        sample=m.sample,
        foreground=m.foreground,
        box_weight=choice.box_weight,
    )
    return Detection(classes, metrics=measures, anchor_loss=loss, suppression=rule, shown=choice.shown)


def build_attributes(choice: AttributesTask, names: Sequence[str]) -> Task:
    """The task of saying attributes of regions."""
    return Attributes(
        names,
        scale=choice.scale,
        measured_on=choice.measured_on,
        interpolation=choice.interpolation,
        suppression=Suppression(nms=choice.nms),
    )


def _measure(choice: Measure) -> DetectionMeasure:
    if isinstance(choice, COCOAveragePrecision):
        return coco.CocoAveragePrecision()
    restricted = choice.min_height > 0 or choice.min_visible > 0
    subset = Subset(min_height=choice.min_height, min_visible=choice.min_visible) if restricted else None
    match choice:
        case VOCAveragePrecision():
            return average_precision.AveragePrecision(
                interpolation=choice.interpolation, iou=choice.iou, subset=subset, name=choice.name
            )
        case LogAverageMissRate():
            return miss_rate.LogAverageMissRate(
                low=choice.low, high=choice.high, points=choice.points, iou=choice.iou, subset=subset, name=choice.name
            )
        case _:
            assert_never(choice)
