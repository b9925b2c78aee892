"""How good predicted depth is, over a whole set of images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import torch
from torch import Tensor

from taskweave.metrics.gain import Direction
from taskweave.metrics.metric import PerImageMetric
from taskweave.metrics.per_image import Floats, PerImage, weighted_sums
from taskweave.metrics.refusals import same_shape


@final
class DepthErrors(PerImageMetric):
    """The absolute, relative and root-mean-square errors of depth.

    With depth p against g: abs = mean |p - g|, rel = mean |p - g| / g, rmse = sqrt(mean (p - g)^2), over pixels.

    ``update(prediction, target)``: (B, 1, H, W) metres each; target 0 is a hole. abs and rmse are in metres. Every labelled
    pixel of the set weighs the same, so an image without one contributes nothing.
    """

    directions: ClassVar[Mapping[str, Direction]] = {"abs": "lower", "rel": "lower", "rmse": "lower"}
    sums: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("sums", torch.zeros(4, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_rows("each")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        rows = depth_sums_by_image(prediction, target)
        self.sums += rows.sum(0)
        self.keep("each", rows)

    def compute(self) -> dict[str, Tensor]:
        return depth_scores(self.sums)

    def per_image(self) -> DepthImages:
        """The sums over each image's pixels."""
        with self.everywhere():
            return DepthImages(self.rows("each", 4).numpy())


@final
@dataclass(frozen=True)
class DepthImages(PerImage):
    """Each image's sums over its labelled pixels.

    Args:
        sums: (images, 4) of |p - g|, |p - g| / g, (p - g)^2, and the number of pixels (`depth_sums`).
    """

    kind: ClassVar[str] = "depth"
    axes: ClassVar[Mapping[str, int]] = {"sums": 2}

    sums: Floats

    def _scores(self, weights: Floats) -> dict[str, Floats]:
        absolute, relative, square, pixels = weighted_sums(weights, self.sums).T
        return {"abs": absolute / pixels, "rel": relative / pixels, "rmse": np.sqrt(square / pixels)}


def labelled_depth(target: Tensor) -> Tensor:
    """Where depth is known: above 0 (0 = hole) and finite."""
    return (target > 0) & target.isfinite()


def depth_sums(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the sums of |p - g|, |p - g| / g and (p - g)^2 over the labelled pixels, and their number, float64 (4,).

    Args:
        prediction: (B, 1, H, W) in metres.
        target: (B, 1, H, W) in metres.
    """
    return depth_sums_by_image(prediction, target).sum(0)


def depth_sums_by_image(prediction: Tensor, target: Tensor) -> Tensor:
    """(B, 4) float64: `depth_sums` of each image."""
    same_shape("a depth metric", prediction, target, "(B, 1, H, W)")
    valid = labelled_depth(target)
    truth = torch.where(valid, target, 1.0).double()
    error = torch.where(valid, (prediction.double() - truth).abs(), 0.0)
    return torch.stack([part.sum((1, 2, 3)) for part in (error, error / truth, error.square(), valid.double())], 1)


def depth_scores(sums: Tensor) -> dict[str, Tensor]:
    """abs (metres), rel (a ratio) and rmse (metres): means over pixels, not over images. NaN without a labelled pixel."""
    absolute, relative, square, count = sums.unbind()
    return {"abs": absolute / count, "rel": relative / count, "rmse": (square / count).sqrt()}
