"""Metrics: exact over the whole set, however it is split into batches and processes.

Imported when first asked for: torchmetrics takes seconds to import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "SegmentationScores": "segmentation",
    "DepthErrors": "depth",
    "NormalAngles": "normals",
    "Accuracy": "accuracy",
    "AbsoluteError": "absolute_error",
    "BoxOverlap": "box_overlap",
    "AveragePrecision": "average_precision",
    "LogAverageMissRate": "miss_rate",
    "CocoAveragePrecision": "coco",
    "AttributeAveragePrecision": "attributes",
    "AttributesOnDetections": "attributes",
    "PEDESTRIANS": "miss_rate",
    "BIRDS_9": "miss_rate",
    "BIRDS_17": "miss_rate",
    "PerImageMetric": "metric",
    "JoinedMetric": "metric",
    "DetectionMetric": "detection",
    "PerImage": "per_image",
    "Curve": "curve",
    "DetectedImage": "detection_images",
    "Subset": "detection_images",
    "REASONABLE": "detection_images",
    "BIRDS": "detection_images",
    "Interpolation": "average_precision",
    "curve_average_precision": "average_precision",
    "log_average_miss_rate": "miss_rate",
    "reference_points": "miss_rate",
    "confusion_matrix": "segmentation",
    "class_iou": "segmentation",
    "segmentation_scores": "segmentation",
    "depth_sums": "depth",
    "depth_scores": "depth",
    "normal_angles": "angles",
    "paired_iou": "box_overlap",
    "exact_median": "median",
    "relative_gain": "gain",
    "metric_gains": "gain",
    "Direction": "gain",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {sorted(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from taskweave.metrics.absolute_error import AbsoluteError as AbsoluteError
    from taskweave.metrics.accuracy import Accuracy as Accuracy
    from taskweave.metrics.angles import normal_angles as normal_angles
    from taskweave.metrics.attributes import AttributeAveragePrecision as AttributeAveragePrecision
    from taskweave.metrics.attributes import AttributesOnDetections as AttributesOnDetections
    from taskweave.metrics.average_precision import AveragePrecision as AveragePrecision
    from taskweave.metrics.average_precision import Interpolation as Interpolation
    from taskweave.metrics.average_precision import curve_average_precision as curve_average_precision
    from taskweave.metrics.box_overlap import BoxOverlap as BoxOverlap
    from taskweave.metrics.box_overlap import paired_iou as paired_iou
    from taskweave.metrics.coco import CocoAveragePrecision as CocoAveragePrecision
    from taskweave.metrics.curve import Curve as Curve
    from taskweave.metrics.depth import DepthErrors as DepthErrors
    from taskweave.metrics.depth import depth_scores as depth_scores
    from taskweave.metrics.depth import depth_sums as depth_sums
    from taskweave.metrics.detection import DetectionMetric as DetectionMetric
    from taskweave.metrics.detection_images import BIRDS as BIRDS
    from taskweave.metrics.detection_images import REASONABLE as REASONABLE
    from taskweave.metrics.detection_images import DetectedImage as DetectedImage
    from taskweave.metrics.detection_images import Subset as Subset
    from taskweave.metrics.gain import Direction as Direction
    from taskweave.metrics.gain import metric_gains as metric_gains
    from taskweave.metrics.gain import relative_gain as relative_gain
    from taskweave.metrics.median import exact_median as exact_median
    from taskweave.metrics.metric import JoinedMetric as JoinedMetric
    from taskweave.metrics.metric import PerImageMetric as PerImageMetric
    from taskweave.metrics.miss_rate import BIRDS_9 as BIRDS_9
    from taskweave.metrics.miss_rate import BIRDS_17 as BIRDS_17
    from taskweave.metrics.miss_rate import PEDESTRIANS as PEDESTRIANS
    from taskweave.metrics.miss_rate import LogAverageMissRate as LogAverageMissRate
    from taskweave.metrics.miss_rate import log_average_miss_rate as log_average_miss_rate
    from taskweave.metrics.miss_rate import reference_points as reference_points
    from taskweave.metrics.normals import NormalAngles as NormalAngles
    from taskweave.metrics.per_image import PerImage as PerImage
    from taskweave.metrics.segmentation import SegmentationScores as SegmentationScores
    from taskweave.metrics.segmentation import class_iou as class_iou
    from taskweave.metrics.segmentation import confusion_matrix as confusion_matrix
    from taskweave.metrics.segmentation import segmentation_scores as segmentation_scores
