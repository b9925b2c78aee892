"""How good predicted surface normals are, over a whole set of images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskweave.metrics.angles import (
    BINS,
    RESOLUTION,
    THRESHOLDS,
    angle_histogram,
    angle_scores,
    angle_sums,
    labelled_angles,
    labelled_normals,
)
from taskweave.metrics.gain import Direction
from taskweave.metrics.median import exact_median
from taskweave.metrics.metric import PerImageMetric, rows_of
from taskweave.metrics.per_image import Floats, PerImage, check_lengths, weighted_sums

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
    values: list[Tensor] | Tensor
    rows: list[Tensor] | Tensor
    histograms: list[Tensor] | Tensor

    def __init__(self, *, raw_uint8: bool = False) -> None:
        super().__init__()
        self.raw_uint8 = raw_uint8
        self.add_state("sums", torch.zeros(5, dtype=torch.float64), dist_reduce_fx="sum")
        for name in ("values", "rows", "histograms"):
            self.add_state(name, [], dist_reduce_fx="cat")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        values = labelled_angles(prediction, target, raw_uint8=self.raw_uint8)
        each = torch.split(values, labelled_normals(target).sum((1, 2)).tolist())
        sums = torch.stack([angle_sums(part) for part in each])
        self.sums += sums.sum(0)
        self._keep("rows", sums)
        self._keep("histograms", torch.stack([angle_histogram(part) for part in each]))
        self._keep("values", values)

    def compute(self) -> dict[str, Tensor]:
        chunks = self.values if isinstance(self.values, list) else [self.values]
        return angle_scores(self.sums, exact_median(chunks).to(self.sums.device))

    def per_image(self) -> NormalsImages:
        """The sums over each image's pixels, and a histogram of its angles."""
        with self.sync_context(dist_sync_fn=self.dist_sync_fn):
            return NormalsImages(rows_of(self.rows, 5), rows_of(self.histograms, BINS))

    def _keep(self, name: str, values: Tensor) -> None:
        getattr(self, name).append(values.flatten().cpu())


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
