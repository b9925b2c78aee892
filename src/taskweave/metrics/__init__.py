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
}

__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {sorted(__all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from taskweave.metrics.angles import normal_angles as normal_angles
    from taskweave.metrics.confusion import class_iou as class_iou
    from taskweave.metrics.confusion import confusion_matrix as confusion_matrix
    from taskweave.metrics.confusion import segmentation_scores as segmentation_scores
    from taskweave.metrics.depth import DepthMetric as DepthMetric
    from taskweave.metrics.depth_errors import depth_scores as depth_scores
    from taskweave.metrics.depth_errors import depth_sums as depth_sums
    from taskweave.metrics.gain import Direction as Direction
    from taskweave.metrics.gain import metric_gains as metric_gains
    from taskweave.metrics.gain import relative_gain as relative_gain
    from taskweave.metrics.median import exact_median as exact_median
    from taskweave.metrics.normals import NormalsMetric as NormalsMetric
    from taskweave.metrics.segmentation import SegmentationMetric as SegmentationMetric
