"""Errors of depth, as sums over labelled pixels."""

from __future__ import annotations

import torch
from torch import Tensor

from taskweave.metrics.shapes import same_shape


def labelled_depth(target: Tensor) -> Tensor:
    """Where depth is known: above 0 (0 = hole) and finite."""
    return (target > 0) & target.isfinite()


def depth_sums(prediction: Tensor, target: Tensor) -> Tensor:
    """(4,) float64: the sums of |p - g|, |p - g| / g and (p - g)^2 over the labelled pixels, and their number.

    prediction, target: (B, 1, H, W) in metres.
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
