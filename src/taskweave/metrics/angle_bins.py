"""How angles are spread, coarsely enough to keep for every image."""

from __future__ import annotations

import torch
from torch import Tensor

RESOLUTION = 0.1
"""Degrees a bin."""
BINS = 1800


def angle_histogram(values: Tensor) -> Tensor:
    """int32 (1800,): how many of some angles (N,) lie in each bin of a tenth of a degree; NaN counts in the first."""
    bins = (values.nan_to_num() / RESOLUTION).long().clamp(0, BINS - 1)
    return torch.bincount(bins, minlength=BINS).int()
