"""Log-average miss rate over false positives per image, as for pedestrians."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from taskweave.metrics.average_precision import check_iou
from taskweave.metrics.detection_images import Curve, DetectedImage, DetectionMeasure, by_class
from taskweave.metrics.detection_matching import Points, match_with_regions, operating_points
from taskweave.metrics.detection_subset import BIRDS, REASONABLE, Subset
from taskweave.metrics.gain import Direction
from taskweave.metrics.per_image_detection import ranking_of
from taskweave.metrics.per_image_ranking import MissRateImages

_LEAST = 1e-10


@final
@dataclass(frozen=True)
class LogAverageMissRate(DetectionMeasure):
    """The geometric mean of the miss rates at `points` numbers of false positives per image, in percent.

    They are log-spaced from `low` to `high`, both included: 9 from 1e-2 to 1 are a quarter of a decade apart (Dollár et al.
    2012). From 1e-2 to 1e2 the cross-connected paper does not say how many: 9 are half a decade apart, 17 a quarter.
    Matching is Dollár's (see `match_with_regions`) with IoU >= `iou`, which that paper does not say either.
    With several classes the mean over those that have objects; false positives are per image of the whole set.
    subset: ignore the objects outside it.  name: of the number in tables.
    """

    low: float = 1e-2
    high: float = 1.0
    points: int = 9
    iou: float = 0.5
    subset: Subset | None = None
    name: str = "MR"

    def __post_init__(self) -> None:
        check_iou("LogAverageMissRate", self.iou)
        reference_points(self.low, self.high, self.points)

    @property
    def directions(self) -> Mapping[str, Direction]:
        return {self.name: "lower"}

    def measure(self, images: Sequence[DetectedImage], classes: int) -> dict[str, Tensor]:
        return {self.name: self.per_class(images, classes)[self.name].nanmean()}

    def per_image(self, images: Sequence[DetectedImage], classes: int) -> MissRateImages:
        ranking = ranking_of(self._counted(images), classes, match_with_regions, self.iou)
        references = reference_points(self.low, self.high, self.points).numpy()
        return MissRateImages(**ranking._asdict(), name=self.name, references=references)

    def per_class(self, images: Sequence[DetectedImage], classes: int) -> dict[str, Tensor]:
        references = reference_points(self.low, self.high, self.points)
        curves = [false_positives_miss_rate(points, len(images)) for points in self._points(images, classes)]
        return {self.name: 100.0 * torch.stack([log_average_miss_rate(*curve, references) for curve in curves])}

    def curves(self, images: Sequence[DetectedImage], names: Sequence[str]) -> list[Curve]:
        """Miss rate over false positives per image."""
        found = []
        for name, points in zip(names, self._points(images, len(names)), strict=True):
            if points.objects:
                fppi, miss = false_positives_miss_rate(points, len(images))
                axes = ("false positives per image", "miss rate")
                found.append(Curve(name, tuple(fppi.tolist()), tuple(miss.tolist()), *axes, logarithmic=True))
        return found

    def _points(self, images: Sequence[DetectedImage], classes: int) -> list[Points]:
        return [operating_points(part, match_with_regions, self.iou) for part in by_class(self._counted(images), classes)]

    def _counted(self, images: Sequence[DetectedImage]) -> Sequence[DetectedImage]:
        return images if self.subset is None else [self.subset.applied(image) for image in images]


def false_positives_miss_rate(points: Points, images: int) -> tuple[Tensor, Tensor]:
    """False positives per image and miss rate (a share) at every operating point, float64 (k,), from the first point on.

    Without objects the miss rate is NaN, at one point of 0 false positives.
    """
    if not points.objects:
        return torch.zeros(1, dtype=torch.float64), torch.full((1,), torch.nan, dtype=torch.float64)
    return points.wrong / images, 1.0 - points.right / points.objects


def reference_points(low: float, high: float, points: int) -> Tensor:
    """float64 (points,), log-spaced from `low` to `high`, both included."""
    if not 0 < low < high or points < 2:
        raise ValueError(
            f"the reference points are at least 2 between 0 < low < high false positives per image, "
            f"got low={low}, high={high}, points={points}"
        )
    return torch.logspace(math.log10(low), math.log10(high), points, dtype=torch.float64)


def log_average_miss_rate(fppi: Tensor, miss: Tensor, references: Tensor) -> Tensor:
    """exp(mean over r of log m(r)), a share: m(r) is the miss rate of the last point with fppi <= r.

    fppi (k,) rising, miss (k,) shares, references (n,). m(r) is 1 where no point is at r or left of it; right of the
    curve's end it stays what it was there. A miss rate of 0 counts as 1e-10, as in Dollár's code. NaN stays NaN.
    """
    count = torch.searchsorted(fppi.double(), references * (1 + 1e-9), right=True)  # .01 is reached by 1 in 100 images
    rates = torch.cat([miss.new_ones(1, dtype=torch.float64), miss.double()])[count]
    return rates.clamp(min=_LEAST).log().mean().exp()


PEDESTRIANS = LogAverageMissRate(subset=REASONABLE)
"""The reasonable subset, 9 points in [1e-2, 1]: Caltech, KITTI and CityPersons in the cross-connected paper's table 1."""

BIRDS_9 = LogAverageMissRate(high=1e2, subset=BIRDS)
"""Birds at least 15 pixels high, 9 points in [1e-2, 1e2], half a decade apart."""

BIRDS_17 = LogAverageMissRate(high=1e2, points=17, subset=BIRDS)
"""Birds at least 15 pixels high, 17 points in [1e-2, 1e2], a quarter of a decade apart."""
