"""Weights that stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from torch import Tensor

from taskweave.weighting.weighting import Weighting


@final
class Fixed(Weighting):
    """sum_t weights[t] * L_t. The weights are not normalised.

    Raises KeyError for a loss without a weight.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        super().__init__()
        self._weights = dict(weights)

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        if not losses:
            raise ValueError("Fixed got no losses to weigh")
        if unknown := [task for task in losses if task not in self._weights]:
            raise KeyError(f"Fixed has no weight for {unknown}; its weights are for {list(self._weights)}")
        terms = [self._weights[task] * loss for task, loss in losses.items()]
        return sum(terms[1:], terms[0])

    def weights(self) -> dict[str, float]:
        return dict(self._weights)
