"""Sluice units."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Annotated, ClassVar, Literal, final

import torch
from annotated_types import Ge
from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.units.mixing import Matrix, given_matrix, is_identity, mix, mixing_matrix
from taskweave.units.unit import MapUnit

Initial = Literal["own", "balanced", "imbalanced"]


@final
class Sluice(MapUnit):
    """A cross-stitch between subspaces: each stream's channels are G blocks, and every block is a weighted sum of all.

    out_(t, g) = sum over (s, h) of alpha[t G + g, s G + h] * x_(s, h), where x_(s, h) is block h of stream s's channels.
    Ruder et al., "Latent multi-task architecture learning" (AAAI 2019); G = 2 is what the NDDR paper compares with.
    Mixing of layers before the head (beta) is `LayerMixing`.

    Features are (B, C, H, W) or (B, N, C), one shape for all streams.

    Args:
        subspaces: G; the channels must divide by it.
        initial: "own": `self_weight` on the own block, `other_weight` elsewhere; "balanced": 1 / (K G) everywhere;
            "imbalanced": the authors' numbers: .9 and .1 / (K - 1) for G = 1, and for K = G = 2 their pattern of .95 and
            .05, in which a stream reads mostly one subspace of both (rows sum to 2).
        self_weight: Of "own".
        other_weight: Of "own"; None for equal shares of what is left to 1.
        matrix: Any initial matrix, K G rows of K G numbers, rows = destinations; if given, `initial` is not used.
        orthogonality: Factor of `penalty`.

    Raises:
        ValueError: Channels or sizes differ, or channels do not divide by `subspaces`.

    Deviations: the authors' code reshapes without transposing, so that its blocks interleave tasks and channels; here a
    block is (task, subspace), as in the paper. "own" is ours: "balanced" wipes out what pre-trained streams know.
    """

    mixes_layers: ClassVar[bool] = True
    weighted_start: ClassVar[dict[str, str]] = {"initial": "own"}

    def __init__(
        self,
        shapes: Sequence[FeatureShape],
        *,
        subspaces: Annotated[int, Ge(1)] = 2,
        initial: Initial = "own",
        self_weight: float = 0.9,
        other_weight: float | None = None,
        matrix: Matrix | None = None,
        orthogonality: Annotated[float, Ge(0)] = 0.0,
    ) -> None:
        super().__init__(shapes)
        self.require_one_shape()
        channels, streams = self.shapes[0].channels, len(self.shapes)
        if subspaces < 1 or channels % subspaces:
            raise ValueError(
                f"Sluice splits {channels} channels into equal subspaces, got subspaces={subspaces}; give a divisor"
            )
        if orthogonality < 0:
            raise ValueError(f"Sluice's orthogonality is a factor of a penalty, 0 or more, got {orthogonality}")
        if matrix is not None:
            start = given_matrix(matrix, streams * subspaces, self.kind)
        elif initial == "own":
            start = mixing_matrix(streams * subspaces, self_weight, other_weight)
        else:
            start = _authors_start(streams, subspaces, initial)
        self.subspaces = subspaces
        self.orthogonality = orthogonality
        self.needs_layer_weights = orthogonality > 0 and subspaces > 1
        self.alpha = nn.Parameter(torch.tensor(start))
        self.exact_start = is_identity(start)

    def fuse(self, maps: list[Tensor]) -> list[Tensor]:
        self.require_alike(maps)
        if maps[0].shape[1] % self.subspaces:
            raise ValueError(f"Sluice cannot split {maps[0].shape[1]} channels into {self.subspaces} equal subspaces")
        blocks = [block for x in maps for block in x.chunk(self.subspaces, 1)]
        mixed = mix(self.alpha[:, :, None].expand(-1, -1, blocks[0].shape[1]), blocks)
        g = self.subspaces
        return [torch.cat(mixed[t * g : (t + 1) * g], 1) if g > 1 else mixed[t] for t in range(len(maps))]

    def penalty(self, weights: Sequence[Tensor]) -> Tensor | None:
        """Return orthogonality * sum over streams and pairs of subspaces of ||G_g G_h^T||_F^2.

        Args:
            weights: Per stream (C_out, ...), of the last layer before the connection; G_g (C_out / G, rest) computes
                subspace g.

        Raises:
            ValueError: A layer's outputs cannot be split into equal subspaces.
        """
        if not self.needs_layer_weights:
            return None
        total = torch.zeros((), dtype=weights[0].dtype, device=weights[0].device)
        for weight in weights:
            if weight.shape[0] % self.subspaces:
                raise ValueError(
                    f"Sluice cannot split a layer of {weight.shape[0]} outputs into {self.subspaces} equal subspaces"
                )
            parts = weight.flatten(1).chunk(self.subspaces)
            for a, b in combinations(parts, 2):
                total = total + (a @ b.T).square().sum()
        return self.orthogonality * total

    def extra_repr(self) -> str:
        return f"streams={len(self.shapes)}, subspaces={self.subspaces}, orthogonality={self.orthogonality}"


def _authors_start(streams: int, subspaces: int, initial: Initial) -> Matrix:
    """Their published numbers, (K G, K G)."""
    if initial == "balanced":
        return ((1 / (streams * subspaces),) * (streams * subspaces),) * (streams * subspaces)
    if initial != "imbalanced":
        raise ValueError(f"Sluice starts 'own', 'balanced' or 'imbalanced', got {initial!r}")
    if subspaces == 1:
        return mixing_matrix(streams, 0.9, None)
    if (streams, subspaces) != (2, 2):
        raise ValueError(
            f"Sluice's imbalanced start is defined for one subspace, or two streams with two; got {streams} streams "
            f"with {subspaces}; use initial='own' or give a matrix"
        )
    first, second = (0.05, 0.95, 0.05, 0.95), (0.95, 0.05, 0.95, 0.05)
    return (first, first, second, second)
