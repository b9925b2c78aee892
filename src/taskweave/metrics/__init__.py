"""Metrics: exact over the whole set, however it is split into batches and processes.

Imported when first asked for: torchmetrics takes seconds to import.
"""

from typing import TYPE_CHECKING

from taskweave.lazy import lazy_names

if TYPE_CHECKING:
    from taskweave.metrics.attributes import (
        AttributeAveragePrecision as AttributeAveragePrecision,
        AttributesOnDetections as AttributesOnDetections,
    )
    from taskweave.metrics.average_precision import (
        AveragePrecision as AveragePrecision,
        Interpolation as Interpolation,
        curve_average_precision as curve_average_precision,
    )
    from taskweave.metrics.coco import CocoAveragePrecision as CocoAveragePrecision
    from taskweave.metrics.depth import DepthErrors as DepthErrors, depth_scores as depth_scores, depth_sums as depth_sums
    from taskweave.metrics.detection import DetectionMetric as DetectionMetric
    from taskweave.metrics.detection_images import (
        BIRDS as BIRDS,
        REASONABLE as REASONABLE,
        DetectedImage as DetectedImage,
        Subset as Subset,
    )
    from taskweave.metrics.gain import Direction as Direction, metric_gains as metric_gains, relative_gain as relative_gain
    from taskweave.metrics.metric import (
        JoinedMetric as JoinedMetric,
        PerImageMetric as PerImageMetric,
        exact_median as exact_median,
    )
    from taskweave.metrics.miss_rate import (
        BIRDS_9 as BIRDS_9,
        BIRDS_17 as BIRDS_17,
        PEDESTRIANS as PEDESTRIANS,
        LogAverageMissRate as LogAverageMissRate,
        log_average_miss_rate as log_average_miss_rate,
        reference_points as reference_points,
    )
    from taskweave.metrics.normals import NormalAngles as NormalAngles, normal_angles as normal_angles
    from taskweave.metrics.per_image import Curve as Curve, PerImage as PerImage
    from taskweave.metrics.segmentation import (
        SegmentationScores as SegmentationScores,
        class_iou as class_iou,
        confusion_matrix as confusion_matrix,
        segmentation_scores as segmentation_scores,
    )
    from taskweave.metrics.whole_images import (
        AbsoluteError as AbsoluteError,
        Accuracy as Accuracy,
        BoxOverlap as BoxOverlap,
        paired_iou as paired_iou,
    )
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__, __file__)
