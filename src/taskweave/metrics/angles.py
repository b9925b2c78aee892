"""Angles between surface normals."""

from __future__ import annotations

import torch
from torch import Tensor

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
    """Degrees in 0..180 between vectors (N, 3) of any length; 90 where a prediction is the zero vector.

    theta = atan2(|p x n|, p . n), in float64, rounded to float32 (N,): unlike arccos it is exact for small angles, and a
    pixel's angle does not depend on where it lies in a batch (float32 atan2 differs between vector lanes and the rest).
    raw_uint8: theta between the 8-bit codes (p + 1) * 127.5 and (n + 1) * 127.5 of the unit vectors, not rounded.
        In that space opposite normals are only 54.7 degrees apart; the tables of NDDR-CNN and of its followers are in it.
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
