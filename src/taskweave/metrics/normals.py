"""How good predicted surface normals are, over a whole set of images."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from taskweave.metrics.angle_bins import BINS, angle_histogram
from taskweave.metrics.angles import angle_scores, angle_sums, labelled_angles, labelled_normals
from taskweave.metrics.gathering import gather_from_anywhere
from taskweave.metrics.median import exact_median
from taskweave.metrics.per_image_metric import PerImageMetric, rows_of
from taskweave.metrics.per_image_normals import NormalsImages


@final
class NormalsMetric(PerImageMetric):
    """mean and median angle in degrees, and the percentage of labelled pixels within 11.25, 22.5 and 30 degrees.

    ``update(prediction, target)``: (B, 3, H, W) each, in true space; a zero target is a hole. Within means strictly less.

    raw_uint8: measure angles between 8-bit codes, (n + 1) * 127.5, as the NDDR-CNN papers' tables do: about half as
        large, and not comparable with anything else (see `normal_angles`).

    The median is exact over the whole set. For it every angle is kept as float32 in main memory: 4 bytes a labelled
    pixel, 0.8 GB for the 654 test images of NYUv2 at 480 x 640. Processes exchange them when the metric is computed.
    """

    full_state_update = False
    sums: Tensor
    values: list[Tensor] | Tensor
    rows: list[Tensor] | Tensor
    histograms: list[Tensor] | Tensor

    def __init__(self, *, raw_uint8: bool = False) -> None:
        super().__init__(dist_sync_fn=gather_from_anywhere)
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
