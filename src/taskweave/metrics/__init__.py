"""Metrics: exact over the whole set, however it is split into batches and processes.

Imported when first asked for: torchmetrics takes seconds to import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_NAMES = {
    "segmentation": ("SegmentationScores", "confusion_matrix", "class_iou", "segmentation_scores"),
    "depth": ("DepthErrors", "depth_sums", "depth_scores"),
    "normals": ("NormalAngles", "normal_angles"),
    "whole_images": ("Accuracy", "AbsoluteError", "BoxOverlap", "paired_iou"),
    "average_precision": ("AveragePrecision", "Interpolation", "curve_average_precision"),
    "miss_rate": ("LogAverageMissRate", "PEDESTRIANS", "BIRDS_9", "BIRDS_17", "log_average_miss_rate", "reference_points"),
    "coco": ("CocoAveragePrecision",),
    "attributes": ("AttributeAveragePrecision", "AttributesOnDetections"),
    "metric": ("exact_median", "PerImageMetric", "JoinedMetric"),
    "detection": ("DetectionMetric",),
    "per_image": ("Curve", "PerImage"),
    "detection_images": ("DetectedImage", "Subset", "REASONABLE", "BIRDS"),
    "gain": ("relative_gain", "metric_gains", "Direction"),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {sorted(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from taskweave.metrics.attributes import AttributeAveragePrecision as AttributeAveragePrecision
    from taskweave.metrics.attributes import AttributesOnDetections as AttributesOnDetections
    from taskweave.metrics.average_precision import AveragePrecision as AveragePrecision
    from taskweave.metrics.average_precision import Interpolation as Interpolation
    from taskweave.metrics.average_precision import curve_average_precision as curve_average_precision
    from taskweave.metrics.coco import CocoAveragePrecision as CocoAveragePrecision
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
    from taskweave.metrics.metric import JoinedMetric as JoinedMetric
    from taskweave.metrics.metric import PerImageMetric as PerImageMetric
    from taskweave.metrics.metric import exact_median as exact_median
    from taskweave.metrics.miss_rate import BIRDS_9 as BIRDS_9
    from taskweave.metrics.miss_rate import BIRDS_17 as BIRDS_17
    from taskweave.metrics.miss_rate import PEDESTRIANS as PEDESTRIANS
    from taskweave.metrics.miss_rate import LogAverageMissRate as LogAverageMissRate
    from taskweave.metrics.miss_rate import log_average_miss_rate as log_average_miss_rate
    from taskweave.metrics.miss_rate import reference_points as reference_points
    from taskweave.metrics.normals import NormalAngles as NormalAngles
    from taskweave.metrics.normals import normal_angles as normal_angles
    from taskweave.metrics.per_image import Curve as Curve
    from taskweave.metrics.per_image import PerImage as PerImage
    from taskweave.metrics.segmentation import SegmentationScores as SegmentationScores
    from taskweave.metrics.segmentation import class_iou as class_iou
    from taskweave.metrics.segmentation import confusion_matrix as confusion_matrix
    from taskweave.metrics.segmentation import segmentation_scores as segmentation_scores
    from taskweave.metrics.whole_images import AbsoluteError as AbsoluteError
    from taskweave.metrics.whole_images import Accuracy as Accuracy
    from taskweave.metrics.whole_images import BoxOverlap as BoxOverlap
    from taskweave.metrics.whole_images import paired_iou as paired_iou
