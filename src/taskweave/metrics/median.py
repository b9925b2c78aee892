"""The median of more numbers than one likes to sort."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_HALF = 1 << 15
_INFINITY = 0x7F80  # the upper half of infinity's bits; those of NaNs are not smaller


def exact_median(chunks: Sequence[Tensor]) -> Tensor:
    """The median of all values of all chunks: as numpy.median, the mean of the middle two where their number is even.

    chunks: float32 vectors of values >= 0, in any order. Returns a float64 scalar; NaN of nothing, or where any value
    is NaN or infinite.

    Radix selection: the bits of non-negative float32 numbers order as integers do. One pass counts the upper 16 bits,
    one more finds each middle value among those that share them. Nothing is copied whole and nothing sorted.
    """
    bits = [chunk.detach().contiguous().view(torch.int32) for chunk in chunks if chunk.numel()]
    if not bits:
        return torch.tensor(torch.nan, dtype=torch.float64)
    upper = _counts([part >> 16 for part in bits], _HALF)
    count = int(upper.sum())
    if upper[_INFINITY:].any():
        return torch.tensor(torch.nan, dtype=torch.float64)
    middle = {(count - 1) // 2, count // 2}
    values = [_select(bits, upper, rank) for rank in middle]
    return torch.stack(values).mean()


def _select(bits: Sequence[Tensor], upper: Tensor, rank: int) -> Tensor:
    """The value at `rank` (from 0) in ascending order."""
    bucket, below = _locate(upper, rank)
    lower = _counts([part[(part >> 16) == bucket] & 0xFFFF for part in bits], 2 * _HALF)
    low, _ = _locate(lower, rank - below)
    return torch.tensor((bucket << 16) | low, dtype=torch.int32).view(torch.float32).double()


def _counts(parts: Sequence[Tensor], bins: int) -> Tensor:
    total = torch.zeros(bins, dtype=torch.int64)
    for part in parts:
        total += torch.bincount(part, minlength=bins).cpu()
    return total


def _locate(counts: Tensor, rank: int) -> tuple[int, int]:
    """The bin that holds `rank`, and how many values lie in the bins before it."""
    ends = counts.cumsum(0)
    index = int(torch.searchsorted(ends, rank, right=True))
    return index, int(ends[index] - counts[index])
