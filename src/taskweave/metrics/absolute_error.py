"""How far predicted numbers are from the true ones, over a whole set of images."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from taskweave.metrics.gathering import gather_from_anywhere
from taskweave.metrics.median import exact_median
from taskweave.metrics.per_image_errors import AbsoluteErrorImages
from taskweave.metrics.per_image_metric import PerImageMetric, rows_of
from taskweave.metrics.shapes import same_shape


@final
class AbsoluteErrorMetric(PerImageMetric):
    """ "mean AE" and "median AE": of |prediction - target| over all images, in their unit (years).

    ``update(prediction, target)``: (B,) numbers each. The median is exact: of an even number the mean of the middle two,
    however the set is split; to float32. For it every error is kept in main memory, 8 bytes an image, and exchanged
    between processes when the numbers are computed.
    """

    full_state_update = False
    total: Tensor
    images: Tensor
    values: list[Tensor] | Tensor

    def __init__(self) -> None:
        super().__init__(dist_sync_fn=gather_from_anywhere)
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("images", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("values", [], dist_reduce_fx="cat")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        same_shape("an absolute error", prediction, target, "(B)")
        errors = (prediction.double() - target.double()).abs()
        self.total += errors.sum()
        self.images += len(errors)
        assert isinstance(self.values, list)  # a tensor only while synchronised, when updates are refused
        self.values.append(errors.cpu())

    def compute(self) -> dict[str, Tensor]:
        chunks = self.values if isinstance(self.values, list) else [self.values]
        median = exact_median([chunk.float() for chunk in chunks])
        return {"mean AE": self.total / self.images, "median AE": median.to(self.total.device)}

    def per_image(self) -> AbsoluteErrorImages:
        """The error of each image."""
        with self.sync_context(dist_sync_fn=self.dist_sync_fn):
            return AbsoluteErrorImages(rows_of(self.values, 1)[:, 0])
