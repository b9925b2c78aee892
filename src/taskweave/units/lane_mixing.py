"""Lanes of one stream, stacked in the channels of its feature, stitched or fused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.units.mixing import is_identity
from taskweave.units.unit import MapUnit

Lanes = tuple[tuple[float | None, ...], ...]
"""Initial weights, rows = destinations, columns = sources; None where there is no link, and no number."""


@final
class LaneMixing(MapUnit):
    """A stitch between the lanes of one feature.

    One feature whose channels are S lanes of C, in; T lanes of C out: out_t = sum over links (t, s) of alpha_ts * x_s.

    For a decoder that carries several features side by side (the pet paper's open-ended question: one lane for each
    encoder): a stitch between its lanes where T = S, a fusion where T < S. The next stage must take T lanes.

    Args:
        shapes: Shape of the one feature, (B, S C, H, W) or (B, N, S C).
        matrix: Initial weights, T rows of S numbers, with None where there is no link: ((.5, .5, None), (.5, None, .5))
            fuses three lanes into two. One number per link is learned, in the order of the rows.

    Raises:
        ValueError: Rows differ in length or have no link, or the channels are not S lanes.
    """

    fewest = 1

    def __init__(self, shapes: Sequence[FeatureShape], *, matrix: Lanes) -> None:
        super().__init__(shapes)
        rows = [list(row) for row in matrix]
        lanes = len(rows[0]) if rows else 0
        if not rows or any(len(row) != lanes or all(weight is None for weight in row) for row in rows):
            raise ValueError(f"LaneMixing needs rows of one length, each with a link, got matrix={rows}")
        if len(self.shapes) != 1 or self.shapes[0].channels % lanes:
            raise ValueError(
                f"LaneMixing takes one feature of {lanes} equal lanes of channels, got {self._listed()}; "
                "connect the one stream that stacks them, after the stage that does"
            )
        self.lanes, self.matrix = lanes, rows
        links = [(s, weight) for row in rows for s, weight in enumerate(row) if weight is not None]
        self.alpha = nn.Parameter(torch.tensor([weight for _, weight in links]))
        self.exact_start = len(rows) == lanes and is_identity([[weight or 0.0 for weight in row] for row in rows])

    def fuse(self, maps: list[Tensor]) -> list[Tensor]:
        alpha, lanes = self.alpha.to(maps[0].dtype), maps[0].chunk(self.lanes, 1)
        outputs: list[Tensor] = []
        first = 0
        for row in self.matrix:
            sources = [s for s, weight in enumerate(row) if weight is not None]
            terms = [alpha[first + i] * lanes[s] for i, s in enumerate(sources)]
            outputs.append(sum(terms[1:], terms[0]))
            first += len(sources)
        return [torch.cat(outputs, 1)]

    def extra_repr(self) -> str:
        return f"lanes={self.lanes} -> {len(self.matrix)}, links={len(self.alpha)}"
