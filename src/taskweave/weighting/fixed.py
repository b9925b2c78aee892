"""Weights that stay as they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, final

from torch import Tensor

from taskweave.weighting.weighting import NONE_NAMED, ByTask, Tasks, Weighting, weighted_sum


@final
class Fixed(Weighting):
    """sum_t w_t L_t. The weights are not normalised.

    Eq. 4 of MT-UNet is all weights 1; its figure 4 has (.3, .7) and (.7, .3), depth first.

    Args:
        tasks: {name: task}, or their names.
        weights: {task: w}; 1 for a task that is not named.

    Raises:
        ValueError: A weight is not finite, or of another task.
    """

    def __init__(self, tasks: Tasks, *, weights: ByTask = NONE_NAMED) -> None:
        super().__init__(tasks)
        self.check_named("weights", weights, "finite numbers", least=-math.inf)
        self._weights = {task: weights.get(task, 1.0) for task in self.tasks}

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        self.check_losses(losses)
        return weighted_sum(self._weights, losses)

    def weights(self) -> dict[str, float]:
        return dict(self._weights)

    def determining(self) -> dict[str, Any]:
        return {}  # a training without a weighting has these; what it is known by must not change

    @staticmethod
    def title(options: Mapping[str, Any]) -> str:
        """What a table calls it."""
        return "weights " + (", ".join(f"{task} {weight:g}" for task, weight in options["weights"].items()) or "1")

    @staticmethod
    def named(options: Mapping[str, Any]) -> Sequence[str]:
        """The tasks that it names."""
        return list(options["weights"])
