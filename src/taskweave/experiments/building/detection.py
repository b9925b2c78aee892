"""From the choices of tasks on boxes to tasks."""

from __future__ import annotations

from typing import Any

from torchmetrics import Metric

from taskweave.experiments.choices.detection import COCOAveragePrecision, DetectionTask, Measure, VOCAveragePrecision
from taskweave.experiments.choices.network import FastRCNNAlexNet, OneNetwork, TorchvisionDetector
from taskweave.metrics import AveragePrecision, CocoAveragePrecision, LogAverageMissRate
from taskweave.parts import Part, part
from taskweave.tasks import Detection, Labels, RoiDetection, Task, TorchvisionDetection


def build_detection(choice: DetectionTask, network: OneNetwork, labels: Labels) -> Task:
    """The task as its network has it: with anchors, of given regions, or torchvision's."""
    metrics = tuple(_metric(measure) for measure in choice.measures)
    if isinstance(network, TorchvisionDetector):
        return TorchvisionDetection(labels, metrics=metrics, shown=choice.shown)
    options: dict[str, Any] = choice.model_dump(include={"nms", "score", "detections", "box_weight", "shown"})
    if isinstance(network, FastRCNNAlexNet):
        return RoiDetection(labels, metrics=metrics, **options)
    return Detection(labels, metrics=metrics, **options, **choice.matching.model_dump())


def _metric(choice: Measure) -> Part[Metric]:
    if isinstance(choice, COCOAveragePrecision):
        return part(CocoAveragePrecision)
    options: dict[str, Any] = choice.model_dump(exclude={"kind"})
    return part(AveragePrecision if isinstance(choice, VOCAveragePrecision) else LogAverageMissRate, **options)
