"""How good predicted surface normals are, over a whole set of images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskweave.metrics.gain import Direction
from taskweave.metrics.metric import PerImageMetric, exact_median
from taskweave.metrics.per_image import Floats, PerImage, weighted_sums
from taskweave.metrics.refusals import same_shape

THRESHOLDS = (11.25, 22.5, 30.0)
"""Degrees. A pixel is within a threshold if its angle is strictly smaller."""
RESOLUTION = 0.1
"""Degrees a bin of an angle histogram: coarse enough to keep one for every image."""
BINS = 1800


def labelled_normals(target: Tensor) -> Tensor:
    """(B, H, W): where the normal (B, 3, H, W) is known. Holes are zero; nothing shorter than .5 is a unit vector."""
    return target.square().sum(1) >= 0.25


def normal_angles(prediction: Tensor, target: Tensor, *, raw_uint8: bool = False) -> Tensor:
    """Return the angles between vectors (N, 3) of any length, in degrees from 0 to 180, float32 (N,).

    theta = atan2(|p x n|, p . n), in float64, rounded to float32: unlike arccos it is exact for small angles, and a pixel's
    angle does not depend on its position in a batch (float32 atan2 differs between vector lanes and the rest). Where the
    prediction is the zero vector, the angle is 90.

    Args:
        raw_uint8: Measure between the 8-bit codes (p + 1) * 127.5 and (n + 1) * 127.5 of the unit vectors, not rounded.
            In that space opposite normals are only 54.7 degrees apart; the tables of NDDR-CNN and its followers use it.
    """
    prediction, target = prediction.double(), target.double()
    if raw_uint8:
        prediction, target = _unit(prediction) + 1.0, _unit(target) + 1.0
    (a, b, c), (x, y, z) = prediction.unbind(1), target.unbind(1)
    cross = ((b * z - c * y).square() + (c * x - a * z).square() + (a * y - b * x).square()).sqrt()
    theta = torch.rad2deg(torch.atan2(cross, a * x + b * y + c * z))
    return torch.where((prediction == 0).all(1), 90.0, theta).float()


def labelled_angles(prediction: Tensor, target: Tensor, *, raw_uint8: bool = False) -> Tensor:
    """The angles of all labelled pixels of (B, 3, H, W) maps, float32 (N,)."""
    same_shape("a normals metric", prediction, target, "(B, 3, H, W)")
    valid = labelled_normals(target)
    pairs = [value.movedim(1, -1)[valid] for value in (prediction, target)]
    return normal_angles(pairs[0], pairs[1], raw_uint8=raw_uint8)


def angle_sums(values: Tensor) -> Tensor:
    """(5,) float64: the sum of the angles, how many are below each threshold, and their number."""
    below = [(values < threshold).sum().double() for threshold in THRESHOLDS]
    return torch.stack([values.sum(dtype=torch.float64), *below, values.new_tensor(len(values), dtype=torch.float64)])


def angle_scores(sums: Tensor, median: Tensor) -> dict[str, Tensor]:
    """mean and median in degrees, within_11.25, within_22.5 and within_30 in percent."""
    total, *below, count = sums.unbind()
    within = {f"within_{limit:g}": 100.0 * hits / count for limit, hits in zip(THRESHOLDS, below, strict=True)}
    return {"mean": total / count, "median": median, **within}


def angle_histogram(values: Tensor) -> Tensor:
    """int32 (1800,): how many of some angles (N,) lie in each bin of a tenth of a degree; NaN counts in the first."""
    bins = (values.nan_to_num() / RESOLUTION).long().clamp(0, BINS - 1)
    return torch.bincount(bins, minlength=BINS).int()


def _unit(vectors: Tensor) -> Tensor:
    length = vectors.norm(dim=1, keepdim=True)
    return vectors / torch.where(length > 0, length, 1.0)


_WITHIN = tuple(f"within_{limit:g}" for limit in THRESHOLDS)


@final
class NormalAngles(PerImageMetric):
    """The mean and median angle in degrees, and the percentage of labelled pixels within 11.25, 22.5 and 30 degrees.

    ``update(prediction, target)``: (B, 3, H, W) each, in true space; a zero target is a hole. Within means strictly less.

    The median is exact over the whole set. For it every angle is kept as float32 in main memory: 4 bytes a labelled
    pixel, 0.8 GB for the 654 test images of NYUv2 at 480 x 640. Processes exchange them when the metric is computed.

    Args:
        raw_uint8: Measure angles between 8-bit codes, (n + 1) * 127.5, as the NDDR-CNN papers' tables do: about half as
            large, and not comparable with anything else (see `normal_angles`).
    """

    directions: ClassVar[Mapping[str, Direction]] = {
        "mean": "lower",
        "median": "lower",
        **dict.fromkeys(_WITHIN, "higher"),
    }
    sums: Tensor

    def __init__(self, *, raw_uint8: bool = False) -> None:
        super().__init__()
        self.raw_uint8 = raw_uint8
        self.add_state("sums", torch.zeros(5, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_rows("angles", "each", "histograms")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        values = labelled_angles(prediction, target, raw_uint8=self.raw_uint8)
        each = torch.split(values, labelled_normals(target).sum((1, 2)).tolist())
        sums = torch.stack([angle_sums(part) for part in each])
        self.sums += sums.sum(0)
        self.keep("each", sums.cpu())
        self.keep("histograms", torch.stack([angle_histogram(part) for part in each]).cpu())
        self.keep("angles", values.cpu())

    def compute(self) -> dict[str, Tensor]:
        return angle_scores(self.sums, exact_median([self.rows("angles")[:, 0]]).to(self.sums.device))

    def per_image(self) -> NormalsImages:
        """The sums over each image's pixels, and a histogram of its angles."""
        with self.everywhere():
            return NormalsImages(self.rows("each", 5).numpy(), self.rows("histograms", BINS).numpy())


@final
@dataclass(frozen=True)
class NormalsImages(PerImage):
    """Each image's sums over its labelled pixels, and the distribution of their angles.

    The median is computed from the histogram, with the angles of a bin taken to be spread evenly: its error is less than
    `RESOLUTION`, usually far less. Everything else is exact.

    Args:
        sums: (images, 5): the sum of the angles in degrees, how many are below 11.25, 22.5 and 30, and their number.
        histogram: (images, bins): how many angles lie in each bin of `RESOLUTION` degrees.
    """

    kind: ClassVar[str] = "normals"
    axes: ClassVar[Mapping[str, int]] = {"sums": 2, "histogram": 2}

    sums: Floats
    histogram: NDArray[Any]

    @property
    def _width(self) -> int:
        return self.count + int(self.histogram.shape[1])

    def _scores(self, weights: Floats) -> dict[str, Floats]:
        total, *below, pixels = weighted_sums(weights, self.sums).T
        median = _median(weighted_sums(weights, self.histogram))
        within = {name: 100.0 * hits / pixels for name, hits in zip(_WITHIN, below, strict=True)}
        return {"mean": total / pixels, "median": np.where(np.isfinite(total), median, np.nan), **within}


def _median(histogram: Floats) -> Floats:
    """(B,) of histograms (B, bins); NaN of an empty one."""
    up_to = histogram.cumsum(1)
    total, rows = up_to[:, -1], np.arange(len(histogram))
    middle = []
    for rank in ((total - 1) // 2, total // 2):
        at = np.minimum((up_to <= rank[:, None]).sum(1), histogram.shape[1] - 1)
        inside = rank - (up_to[rows, at] - histogram[rows, at]) + 0.5
        middle.append(RESOLUTION * (at + inside / histogram[rows, at]))
    return np.where(total > 0, np.mean(middle, axis=0), np.nan)
