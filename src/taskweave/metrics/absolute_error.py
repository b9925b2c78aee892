"""How far predicted numbers are from the true ones, over a whole set of images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskweave.metrics.gain import Direction
from taskweave.metrics.median import exact_median
from taskweave.metrics.metric import PerImageMetric, rows_of
from taskweave.metrics.per_image import Floats, PerImage, check_lengths, weighted_sums
from taskweave.metrics.refusals import same_shape


@final
class AbsoluteError(PerImageMetric):
    """The mean and the median of |prediction - target| over all images, "mean AE" and "median AE", in their unit (years).

    ``update(prediction, target)``: (B,) numbers each. The median is exact: of an even number the mean of the middle two,
    however the set is split; to float32. For it every error is kept in main memory, 8 bytes an image, and exchanged
    between processes when the numbers are computed.
    """

    directions: ClassVar[Mapping[str, Direction]] = {"mean AE": "lower", "median AE": "lower"}
    total: Tensor
    images: Tensor
    values: list[Tensor] | Tensor

    def __init__(self) -> None:
        super().__init__()
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


@final
@dataclass(frozen=True)
class AbsoluteErrorImages(PerImage):
    """One error per image, (images,): |prediction - target|."""

    kind: ClassVar[str] = "absolute error"

    errors: Floats

    def __post_init__(self) -> None:
        check_lengths("AbsoluteErrorImages", {"errors": self.errors}, axes={"errors": 1})

    @property
    def count(self) -> int:
        return len(self.errors)

    def _scores(self, weights: Floats) -> dict[str, Floats]:
        mean = weighted_sums(weights, self.errors) / weights.sum(1)
        return {"mean AE": mean, "median AE": weighted_median(weights, self.errors.astype(np.float32))}


def weighted_median(weights: Floats, values: NDArray[Any]) -> Floats:
    """(B,): the median of values (n,) of which each is there weights (B, n) times; NaN of none, or where one is not finite.

    Of an even number the mean of the middle two, as `exact_median`.
    """
    order = np.argsort(values)
    up_to = weights[:, order].cumsum(1)
    total = weights.sum(1)
    ranks = np.stack([(total - 1) // 2, total // 2])
    at = np.minimum((up_to <= ranks[:, :, None]).sum(-1), max(0, len(values) - 1))
    middle = values[order].astype(np.float64)[at].mean(0)
    spoilt = (weights[:, ~np.isfinite(values)] > 0).any(1)
    return np.where((total == 0) | spoilt, np.nan, middle)
