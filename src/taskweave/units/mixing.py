"""Weighted sums of features, channel by channel, with few passes over memory."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any, final

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

Matrix = tuple[tuple[float, ...], ...]
"""Initial weights, rows = destinations. Plain numbers: units are also built on the meta device."""

_CACHE_BYTES = 1 << 19
"""Products that are summed at once are made of pieces of about this size, so that they stay in a core's cache."""


def mix(weights: Tensor, features: Sequence[Tensor]) -> list[Tensor]:
    """Compute out_t = sum_s weights[t, s] * x_s, each channel with its own weight.

    No stacked copies are made, and the gradient of the weights keeps no product in memory; step times in
    ``benchmarks/connection_overhead.py``.

    Args:
        weights: (T, S, C).
        features: S tensors (B, C, ...) of one shape; those of lower precision are raised to the highest.

    Returns:
        T tensors (B, C, ...) in the features' precision and memory format.
    """
    dtype = features[0].dtype
    for x in features[1:]:
        dtype = torch.promote_types(dtype, x.dtype)
    features = [x.to(dtype) for x in features]
    if torch.compiler.is_compiling():  # a compiler fuses the plain sums better than any order we could give
        return _sums(weights, features)
    return list(_Mix.apply(weights, *features))


def mixing_matrix(count: int, self_weight: float, other_weight: float | None) -> Matrix:
    """(count, count): `self_weight` on the diagonal, `other_weight`, or an equal share of what is left to 1, elsewhere."""
    other = (1 - self_weight) / max(count - 1, 1) if other_weight is None else other_weight
    return tuple(tuple(self_weight if s == t else other for s in range(count)) for t in range(count))


def given_matrix(matrix: Sequence[Sequence[float]], count: int, who: str) -> Matrix:
    """Check a matrix given by the user and return it as floats.

    Args:
        who: What mixes the features, for the message.

    Raises:
        ValueError: The matrix is not (count, count), or has a number that is not finite.
    """
    rows = tuple(tuple(float(value) for value in row) for row in matrix)
    if [len(row) for row in rows] != [count] * count or not all(isfinite(value) for row in rows for value in row):
        raise ValueError(
            f"{who} mixes {count} features, so its matrix needs {count} rows of {count} finite numbers "
            f"(row = destination, column = source), got {[list(row) for row in rows]}"
        )
    return rows


def is_identity(matrix: Sequence[Sequence[float]]) -> bool:
    """Whether weights hand every feature on as it is."""
    return all(value == float(s == t) for t, row in enumerate(matrix) for s, value in enumerate(row))


def _sums(weights: Tensor, features: Sequence[Tensor]) -> list[Tensor]:
    first = features[0]
    w = weights.to(first.dtype).reshape(*weights.shape, *[1] * (first.ndim - 2))
    outputs = []
    for t in range(weights.shape[0]):
        out = first * w[t, 0]
        for s in range(1, len(features)):
            out = torch.addcmul(out, features[s], w[t, s])
        outputs.append(out)
    return outputs


def _channel_dot(a: Tensor, b: Tensor, dtype: torch.dtype) -> Tensor:
    """sum of a * b over all but the channels, (B, C, ...) -> (C,)."""
    others = [0, *range(2, a.ndim)]
    pieces = max(1, a.numel() * a.element_size() // _CACHE_BYTES) if a.device.type == "cpu" else 1
    sums = [(i * j).sum(others, dtype=dtype) for i, j in zip(a.chunk(pieces), b.chunk(pieces), strict=True)]
    return sums[0] if len(sums) == 1 else torch.stack(sums).sum(0)


@final
class _Mix(torch.autograd.Function):
    """`_sums` with its two gradients written out: d/dx_s = sum_t w[t, s] g_t (cross-stitch, eq. 2) and
    d/dw[t, s] = g_t . x_s per channel (eq. 3, corrected). Autograd's own graph takes about 1.5 times as many passes."""

    generate_vmap_rule = True

    @staticmethod
    def forward(weights: Tensor, *features: Tensor) -> tuple[Tensor, ...]:
        return tuple(_sums(weights, features))

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple[Tensor, ...], output: Any) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        weights, *features = ctx.saved_tensors
        for_weights: Tensor | None = None
        if ctx.needs_input_grad[0]:
            dots = [[_channel_dot(g, x, weights.dtype) for x in features] for g in grads]
            for_weights = torch.stack([torch.stack(row) for row in dots])
        if not any(ctx.needs_input_grad[1:]):
            return for_weights, *[None] * len(features)
        wanted = [s for s in range(len(features)) if ctx.needs_input_grad[1 + s]]
        sums = dict(zip(wanted, _sums(weights.transpose(0, 1)[wanted], grads), strict=True))
        return for_weights, *[sums.get(s) for s in range(len(features))]
