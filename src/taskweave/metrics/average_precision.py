"""Average precision as PASCAL VOC defines it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, final

import numpy as np
import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from taskweave.metrics.detection import MatchedMetric
from taskweave.metrics.detection_images import DetectedImage, Matching, Points, Subset, match_as_voc
from taskweave.metrics.gain import Direction
from taskweave.metrics.per_image import Floats
from taskweave.metrics.ranking import RankedImages, best_from_here, reached
from taskweave.metrics.refusals import Classes

Interpolation = Literal["11-point", "area"]
"""How precision is summed up over recall.

"11-point": the mean over t = 0, .1, ..., 1 of the highest precision at a recall of at least t (0 where none is reached).
    Of VOC 2007, 2008 and 2009; so for aPascal, whose pictures are VOC 2008's, whenever numbers of its time are compared.
"area": the area under the precision made non-increasing from the right, at every recall. Of VOC 2010 and later.
"""


class AveragePrecision(MatchedMetric):
    """The mean of the average precisions of the classes, in percent; `class_scores` has each of them.

    Matching is VOC's (see `match_as_voc`). Classes without an object that counts have none and are left out of the mean.
    Deviation: detections of equal score are one point of the curve, where VOC's code takes them in an arbitrary order.

    Args:
        task: With the classes, their names, or how many.
        name: Of the number in tables; different for every metric of a task.
        iou: From this overlap on a detection has found an object.
        interpolation: See `Interpolation`.
        min_height: Lower objects are ignored; pixels of the network's input.
        min_visible: Objects of which a smaller share can be seen are ignored, where the data say what can be seen.
    """

    matching: ClassVar[Matching] = staticmethod(match_as_voc)
    better: ClassVar[Direction] = "higher"
    curve: ClassVar[Mapping[str, Any]] = {"x_axis": "recall", "y_axis": "precision"}

    def __init__(
        self,
        task: Classes,
        *,
        name: str = "mAP",
        iou: Annotated[float, Gt(0), Le(1)] = 0.5,
        interpolation: Interpolation = "area",
        min_height: Annotated[float, Ge(0)] = 0.0,
        min_visible: Annotated[float, Ge(0), Le(1)] = 0.0,
    ) -> None:
        super().__init__(task, name, iou, Subset(min_height=min_height, min_visible=min_visible))
        check_interpolation(interpolation)
        self.interpolation: Interpolation = interpolation

    def of_points(self, points: Points, images: int) -> Tensor:
        return points_average_precision(points, self.interpolation)

    @staticmethod
    def curve_of(points: Points, images: int) -> tuple[Tensor, Tensor]:
        """Precision over recall, as measured (not interpolated)."""
        return recall_precision(points)

    def each_image(self, images: Sequence[DetectedImage]) -> AveragePrecisionImages:
        eleven = self.interpolation == "11-point"
        return AveragePrecisionImages(**self.ranking(images)._asdict(), name=self.name, eleven=eleven)


@final
@dataclass(frozen=True, kw_only=True)
class AveragePrecisionImages(RankedImages):
    """What each image contributes to the mean average precision.

    Args:
        eleven: Use VOC 2007's eleven recall points instead of the area (see `Interpolation`).
    """

    kind: ClassVar[str] = "average precision"

    eleven: bool

    def _of_class(self, right: Floats, wrong: Floats, objects: Floats, images: Floats) -> Floats:
        recall = right / objects[:, None]
        best = best_from_here(np.where(right + wrong > 0, right / (right + wrong), 0.0))
        if not self.eleven:
            return np.asarray(100.0 * (best * np.diff(recall, axis=1, prepend=0.0)).sum(1))
        return np.asarray(100.0 * reached(recall, best, np.arange(11) / 10).mean(1))


def recall_precision(points: Points) -> tuple[Tensor, Tensor]:
    """Recall and precision at every operating point, float64 (k,), shares, of a class that has objects."""
    return points.right / points.objects, points.right / (points.right + points.wrong)


def points_average_precision(points: Points, interpolation: Interpolation) -> Tensor:
    """The average precision of operating points, a share; NaN without objects."""
    if not points.objects:
        return torch.tensor(torch.nan, dtype=torch.float64)
    return curve_average_precision(*recall_precision(points), interpolation)


def curve_average_precision(recall: Tensor, precision: Tensor, interpolation: Interpolation) -> Tensor:
    """The average precision of a curve (k,), (k,) of rising recall, a share; 0 of no points."""
    check_interpolation(interpolation)
    recall, precision = recall.double(), precision.double()
    if not len(recall):
        return torch.zeros((), dtype=torch.float64)
    best = precision.flip(0).cummax(0).values.flip(0)  # the highest precision from here on
    if interpolation == "area":
        return (best * recall.diff(prepend=recall.new_zeros(1))).sum()
    reached = torch.searchsorted(recall, torch.arange(11, dtype=torch.float64) / 10)
    return torch.cat([best, best.new_zeros(1)])[reached].mean()


def check_interpolation(interpolation: str) -> None:
    """Raise ValueError for an unknown one."""
    if interpolation not in ("11-point", "area"):
        raise ValueError(f'interpolation is "11-point" (VOC 2007 to 2009) or "area" (VOC 2010 on), got {interpolation!r}')
