"""Refuses predictions and targets that do not lie over each other."""

from __future__ import annotations

from torch import Tensor


def same_shape(metric: str, prediction: Tensor, target: Tensor, expected: str) -> None:
    """Raise ValueError unless both have one shape with the axes named in `expected`, e.g. "(B, 1, H, W)"."""
    axes = [axis.strip() for axis in expected.strip("()").split(",")]
    fixed = {i: int(axis) for i, axis in enumerate(axes) if axis.isdigit()}
    fits = prediction.ndim == len(axes) and all(prediction.shape[i] == size for i, size in fixed.items())
    if prediction.shape != target.shape or not fits:
        raise ValueError(
            f"{metric} expects a prediction and a target of one shape {expected}, got {tuple(prediction.shape)} "
            f"and {tuple(target.shape)}; decode the output at the label's size first (task.decode(output, size))"
        )
