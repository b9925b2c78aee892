"""What each image contributes to errors of depth, of one number and of one box per image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from taskweave.metrics.per_image import Floats, PerImage, check_lengths, weighted_sums


@final
@dataclass(frozen=True)
class DepthImages(PerImage):
    """Sums over labelled pixels.

    sums: (images, 4) of |p - g|, |p - g| / g, (p - g)^2, and the number of pixels (`depth_sums`).
    """

    kind: ClassVar[str] = "depth"

    sums: Floats

    def __post_init__(self) -> None:
        check_lengths("DepthImages", {"sums": self.sums}, axes={"sums": 2})

    @property
    def count(self) -> int:
        return len(self.sums)

    def _scores(self, weights: Floats) -> dict[str, Floats]:
        absolute, relative, square, pixels = weighted_sums(weights, self.sums).T
        return {"abs": absolute / pixels, "rel": relative / pixels, "rmse": np.sqrt(square / pixels)}


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


@final
@dataclass(frozen=True)
class BoxIoUImages(PerImage):
    """One IoU per image, (images,), a share."""

    kind: ClassVar[str] = "box IoU"

    ious: Floats

    def __post_init__(self) -> None:
        check_lengths("BoxIoUImages", {"ious": self.ious}, axes={"ious": 1})

    @property
    def count(self) -> int:
        return len(self.ious)

    def _scores(self, weights: Floats) -> dict[str, Floats]:
        return {"IoU": 100.0 * weighted_sums(weights, self.ious) / weights.sum(1)}


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
