"""How good predicted surface normals are, over a whole set of images."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor
from torchmetrics import Metric

from taskweave.metrics.angles import angle_scores, angle_sums, labelled_angles
from taskweave.metrics.gathering import gather_from_anywhere
from taskweave.metrics.median import exact_median


@final
class NormalsMetric(Metric):
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

    def __init__(self, *, raw_uint8: bool = False) -> None:
        super().__init__(dist_sync_fn=gather_from_anywhere)
        self.raw_uint8 = raw_uint8
        self.add_state("sums", torch.zeros(5, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("values", [], dist_reduce_fx="cat")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        values = labelled_angles(prediction, target, raw_uint8=self.raw_uint8)
        self.sums += angle_sums(values)
        assert isinstance(self.values, list)  # a tensor only while synchronised, when updates are refused
        self.values.append(values.cpu())

    def compute(self) -> dict[str, Tensor]:
        chunks = self.values if isinstance(self.values, list) else [self.values]
        return angle_scores(self.sums, exact_median(chunks).to(self.sums.device))
