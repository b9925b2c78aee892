"""Log-average miss rate over false positives per image, as for pedestrians."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, final

import numpy as np
import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from taskweave.metrics.detection import MatchedMetric
from taskweave.metrics.detection_images import (
    BIRDS,
    REASONABLE,
    DetectedImage,
    Matching,
    Points,
    Subset,
    match_with_regions,
)
from taskweave.metrics.gain import Direction
from taskweave.metrics.per_image import Floats
from taskweave.metrics.ranking import RankedImages
from taskweave.metrics.refusals import Classes
from taskweave.parts import part

_LEAST = 1e-10


@final
class LogAverageMissRate(MatchedMetric):
    """The geometric mean of the miss rates at `points` numbers of false positives per image, in percent.

    They are log-spaced from `low` to `high`, both included: 9 from 1e-2 to 1 are a quarter of a decade apart (Dollár et al.
    2012). From 1e-2 to 1e2 the cross-connected paper does not say how many: 9 are half a decade apart, 17 a quarter.
    Matching is Dollár's (see `match_with_regions`) with IoU >= `iou`, which that paper does not say either.
    With several classes the mean over those that have objects; false positives are per image of the whole set.

    Args:
        task: With the classes, their names, or how many.
        name: Of the number in tables; different for every metric of a task.
        iou: From this overlap on a detection has found an object.
        low, high: The first and the last number of false positives per image.
        points: How many numbers of false positives.
        min_height: Lower objects are ignored; pixels of the network's input.
        min_visible: Objects of which a smaller share can be seen are ignored, where the data say what can be seen.
    """

    matching: ClassVar[Matching] = staticmethod(match_with_regions)
    better: ClassVar[Direction] = "lower"
    curve: ClassVar[Mapping[str, Any]] = {
        "x_axis": "false positives per image",
        "y_axis": "miss rate",
        "logarithmic": True,
    }

    def __init__(
        self,
        task: Classes,
        *,
        name: str = "MR",
        iou: Annotated[float, Gt(0), Le(1)] = 0.5,
        low: Annotated[float, Gt(0)] = 1e-2,
        high: Annotated[float, Gt(0)] = 1.0,
        points: Annotated[int, Ge(2)] = 9,
        min_height: Annotated[float, Ge(0)] = 0.0,
        min_visible: Annotated[float, Ge(0), Le(1)] = 0.0,
    ) -> None:
        super().__init__(task, name, iou, Subset(min_height=min_height, min_visible=min_visible))
        self.references = reference_points(low, high, points)

    @staticmethod
    def check(options: Mapping[str, Any]) -> None:
        """Raise ValueError unless the numbers of false positives rise."""
        if options["low"] >= options["high"]:
            raise ValueError(f"low must be below high, got low={options['low']:g}, high={options['high']:g}")

    def of_points(self, points: Points, images: int) -> Tensor:
        return log_average_miss_rate(*self.curve_of(points, images), self.references)

    @staticmethod
    def curve_of(points: Points, images: int) -> tuple[Tensor, Tensor]:
        """Miss rate (a share) over false positives per image at every operating point, from the first point on.

        Without objects the miss rate is NaN, at one point of 0 false positives.
        """
        if not points.objects:
            return torch.zeros(1, dtype=torch.float64), torch.full((1,), torch.nan, dtype=torch.float64)
        return points.wrong / images, 1.0 - points.right / points.objects

    def each_image(self, images: Sequence[DetectedImage]) -> MissRateImages:
        return MissRateImages(**self.ranking(images)._asdict(), name=self.name, references=self.references.numpy())


@final
@dataclass(frozen=True, kw_only=True)
class MissRateImages(RankedImages):
    """What each image contributes to the log-average miss rate.

    Args:
        references: Numbers of false positives per image (see `log_average_miss_rate`).
    """

    kind: ClassVar[str] = "miss rate"

    references: Floats

    def _of_class(self, right: Floats, wrong: Floats, objects: Floats, images: Floats) -> Floats:
        fppi = wrong / images[:, None]
        miss = np.concatenate([np.ones((len(right), 1)), 1.0 - right / objects[:, None]], 1)
        limits = self.references * (1 + 1e-9)  # as `log_average_miss_rate`
        at = np.stack([np.searchsorted(row, limits, side="right") for row in fppi])
        rates = np.take_along_axis(miss, at, 1)
        return np.asarray(100.0 * np.exp(np.log(np.maximum(rates, _LEAST)).mean(1)))


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


PEDESTRIANS = part(LogAverageMissRate, min_height=REASONABLE.min_height, min_visible=REASONABLE.min_visible)
"""The reasonable subset, 9 points in [1e-2, 1]: Caltech, KITTI and CityPersons in the cross-connected paper's table 1."""

BIRDS_9 = part(LogAverageMissRate, high=1e2, min_height=BIRDS.min_height)
"""Birds at least 15 pixels high, 9 points in [1e-2, 1e2], half a decade apart."""

BIRDS_17 = part(LogAverageMissRate, high=1e2, points=17, min_height=BIRDS.min_height)
"""Birds at least 15 pixels high, 17 points in [1e-2, 1e2], a quarter of a decade apart."""
