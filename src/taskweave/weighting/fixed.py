"""Weights that stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from torch import Tensor

from taskweave.weighting.weighting import Weighting, weighted_sum


@final
class Fixed(Weighting):
    """sum_t weights[t] * L_t. The weights are not normalised.

    Eq. 4 of MT-UNet is all weights 1; its figure 4 has (.3, .7) and (.7, .3), depth first.
    Raises KeyError for a loss without a weight.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        super().__init__(list(weights))
        self._weights = dict(weights)

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        self.check(losses)
        return weighted_sum(self._weights, losses)

    def weights(self) -> dict[str, float]:
        return dict(self._weights)

    def determining(self) -> dict[str, Any]:
        return {}  # a training without a weighting has these; what it is known by must not change
