"""Average precision as PASCAL VOC defines it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Tensor

from taskweave.metrics.detection_images import Curve, DetectedImage, DetectionMeasure, by_class
from taskweave.metrics.detection_matching import Points, match_as_voc, operating_points
from taskweave.metrics.detection_subset import Subset
from taskweave.metrics.gain import Direction
from taskweave.metrics.per_image_detection import ranking_of
from taskweave.metrics.per_image_ranking import AveragePrecisionImages

Interpolation = Literal["11-point", "area"]
"""How precision is summed up over recall.

"11-point": the mean over t = 0, .1, ..., 1 of the highest precision at a recall of at least t (0 where none is reached).
    Of VOC 2007, 2008 and 2009; so for aPascal, whose pictures are VOC 2008's, whenever numbers of its time are compared.
"area": the area under the precision made non-increasing from the right, at every recall. Of VOC 2010 and later.
"""


@final
@dataclass(frozen=True)
class AveragePrecision(DetectionMeasure):
    """The mean of the average precisions of the classes, in percent; `per_class` has each of them.

    Matching is VOC's (see `match_as_voc`) with IoU >= `iou`. Classes without an object that counts have none and are left
    out of the mean. subset: ignore the objects outside it.  name: of the number in tables.
    Deviation: detections of equal score are one point of the curve, where VOC's code takes them in an arbitrary order.
    """

    interpolation: Interpolation = "area"
    iou: float = 0.5
    subset: Subset | None = None
    name: str = "mAP"

    def __post_init__(self) -> None:
        check_interpolation(self.interpolation)
        check_iou("AveragePrecision", self.iou)

    @property
    def directions(self) -> Mapping[str, Direction]:
        return {self.name: "higher"}

    def measure(self, images: Sequence[DetectedImage], classes: int) -> dict[str, Tensor]:
        return {self.name: self.per_class(images, classes)[self.name].nanmean()}

    def per_image(self, images: Sequence[DetectedImage], classes: int) -> AveragePrecisionImages:
        ranking = ranking_of(self._counted(images), classes, match_as_voc, self.iou)
        return AveragePrecisionImages(**ranking._asdict(), name=self.name, eleven=self.interpolation == "11-point")

    def per_class(self, images: Sequence[DetectedImage], classes: int) -> dict[str, Tensor]:
        values = [points_average_precision(points, self.interpolation) for points in self._points(images, classes)]
        return {self.name: 100.0 * torch.stack(values)}

    def curves(self, images: Sequence[DetectedImage], names: Sequence[str]) -> list[Curve]:
        """Precision over recall, as measured (not interpolated)."""
        found = []
        for name, points in zip(names, self._points(images, len(names)), strict=True):
            if points.objects:
                recall, precision = recall_precision(points)
                found.append(Curve(name, tuple(recall.tolist()), tuple(precision.tolist()), "recall", "precision"))
        return found

    def _points(self, images: Sequence[DetectedImage], classes: int) -> list[Points]:
        return [operating_points(part, match_as_voc, self.iou) for part in by_class(self._counted(images), classes)]

    def _counted(self, images: Sequence[DetectedImage]) -> Sequence[DetectedImage]:
        return images if self.subset is None else [self.subset.applied(image) for image in images]


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


def check_iou(owner: str, iou: float) -> None:
    """Raise ValueError unless it is a share above 0."""
    if not 0 < iou <= 1:
        raise ValueError(f"{owner} matches at an IoU above 0 and at most 1, got {iou}")
