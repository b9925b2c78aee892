"""Metrics: exact over the whole set, however it is split into batches and processes.

Imported when first asked for: torchmetrics takes seconds to import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "SegmentationMetric": "segmentation",
    "DepthMetric": "depth",
    "NormalsMetric": "normals",
    "confusion_matrix": "confusion",
    "class_iou": "confusion",
    "segmentation_scores": "confusion",
    "depth_sums": "depth_errors",
    "depth_scores": "depth_errors",
    "normal_angles": "angles",
    "exact_median": "median",
    "relative_gain": "gain",
    "metric_gains": "gain",
    "Direction": "gain",
    "DetectionMetric": "detection",
    "DetectionMeasure": "detection_images",
    "DetectedImage": "detection_images",
    "Curve": "detection_images",
    "AveragePrecision": "average_precision",
    "curve_average_precision": "average_precision",
    "Interpolation": "average_precision",
    "LogAverageMissRate": "miss_rate",
    "log_average_miss_rate": "miss_rate",
    "reference_points": "miss_rate",
    "PEDESTRIANS": "miss_rate",
    "BIRDS_9": "miss_rate",
    "BIRDS_17": "miss_rate",
    "Subset": "detection_subset",
    "REASONABLE": "detection_subset",
    "BIRDS": "detection_subset",
    "CocoAveragePrecision": "coco",
    "AttributesMetric": "attributes",
    "AccuracyMetric": "accuracy",
    "AbsoluteErrorMetric": "absolute_error",
    "BoxIoUMetric": "box_overlap",
    "paired_iou": "box_overlap",
    "PerImage": "per_image",
    "PerImageMetric": "per_image_metric",
}

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {sorted(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from taskweave.metrics.absolute_error import AbsoluteErrorMetric as AbsoluteErrorMetric
    from taskweave.metrics.accuracy import AccuracyMetric as AccuracyMetric
    from taskweave.metrics.angles import normal_angles as normal_angles
    from taskweave.metrics.attributes import AttributesMetric as AttributesMetric
    from taskweave.metrics.average_precision import AveragePrecision as AveragePrecision
    from taskweave.metrics.average_precision import Interpolation as Interpolation
    from taskweave.metrics.average_precision import curve_average_precision as curve_average_precision
    from taskweave.metrics.box_overlap import BoxIoUMetric as BoxIoUMetric
    from taskweave.metrics.box_overlap import paired_iou as paired_iou
    from taskweave.metrics.coco import CocoAveragePrecision as CocoAveragePrecision
    from taskweave.metrics.confusion import class_iou as class_iou
    from taskweave.metrics.confusion import confusion_matrix as confusion_matrix
    from taskweave.metrics.confusion import segmentation_scores as segmentation_scores
    from taskweave.metrics.depth import DepthMetric as DepthMetric
    from taskweave.metrics.depth_errors import depth_scores as depth_scores
    from taskweave.metrics.depth_errors import depth_sums as depth_sums
    from taskweave.metrics.detection import DetectionMetric as DetectionMetric
    from taskweave.metrics.detection_images import Curve as Curve
    from taskweave.metrics.detection_images import DetectedImage as DetectedImage
    from taskweave.metrics.detection_images import DetectionMeasure as DetectionMeasure
    from taskweave.metrics.detection_subset import BIRDS as BIRDS
    from taskweave.metrics.detection_subset import REASONABLE as REASONABLE
    from taskweave.metrics.detection_subset import Subset as Subset
    from taskweave.metrics.gain import Direction as Direction
    from taskweave.metrics.gain import metric_gains as metric_gains
    from taskweave.metrics.gain import relative_gain as relative_gain
    from taskweave.metrics.median import exact_median as exact_median
    from taskweave.metrics.miss_rate import BIRDS_9 as BIRDS_9
    from taskweave.metrics.miss_rate import BIRDS_17 as BIRDS_17
    from taskweave.metrics.miss_rate import PEDESTRIANS as PEDESTRIANS
    from taskweave.metrics.miss_rate import LogAverageMissRate as LogAverageMissRate
    from taskweave.metrics.miss_rate import log_average_miss_rate as log_average_miss_rate
    from taskweave.metrics.miss_rate import reference_points as reference_points
    from taskweave.metrics.normals import NormalsMetric as NormalsMetric
    from taskweave.metrics.per_image import PerImage as PerImage
    from taskweave.metrics.per_image_metric import PerImageMetric as PerImageMetric
    from taskweave.metrics.segmentation import SegmentationMetric as SegmentationMetric
