"""What each image contributes to angles between surface normals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from taskweave.metrics.angle_bins import RESOLUTION
from taskweave.metrics.per_image import Floats, PerImage, check_lengths, weighted_sums

_LIMITS = ("11.25", "22.5", "30")


@final
@dataclass(frozen=True)
class NormalsImages(PerImage):
    """Sums over labelled pixels, and how the angles are spread.

    sums: (images, 5) the sum of the angles in degrees, how many are below 11.25, 22.5 and 30, and their number.
    histogram: (images, bins) how many angles there are in each bin of `RESOLUTION` degrees.

    The median is that of the bins, its angles taken to lie evenly in its bin: off by less than `RESOLUTION`, mostly by
    far less. Everything else is exact.
    """

    kind: ClassVar[str] = "normals"

    sums: Floats
    histogram: NDArray[Any]

    def __post_init__(self) -> None:
        arrays = {"sums": self.sums, "histogram": self.histogram}
        check_lengths("NormalsImages", arrays, axes=dict.fromkeys(arrays, 2))

    @property
    def count(self) -> int:
        return len(self.sums)

    @property
    def _width(self) -> int:
        return self.count + int(self.histogram.shape[1])

    def _scores(self, weights: Floats) -> dict[str, Floats]:
        total, *below, pixels = weighted_sums(weights, self.sums).T
        median = _median(weighted_sums(weights, self.histogram))
        within = {f"within_{limit}": 100.0 * hits / pixels for limit, hits in zip(_LIMITS, below, strict=True)}
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
