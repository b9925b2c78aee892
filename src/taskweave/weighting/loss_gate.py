"""Losses that are small enough are left out of a step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, final

from torch import Tensor

from taskweave.weighting.weighting import GradientWeighting, Weighting, sum_of


@final
class LossGate(Weighting):
    """Any other weighting, but a loss below its task's threshold is dropped from that batch's total.

    The pet paper's public code: a task that is good enough must not be overfitted while the others still learn. What is
    within is told of every loss, also of those that are dropped, so that `DynamicWeightAverage` goes by all of them and its
    weights still sum to K.

    weighting: what weighs the losses that are left.
    below: {task: threshold}; a loss equal to it counts. A task that is not named always counts.
    The log has the weights of the losses that count. Where all losses of a batch are dropped, its total is 0.
    Raises ValueError for a threshold that is no number or of another task, TypeError for a weighting of gradients.
    """

    def __init__(self, weighting: Weighting, below: Mapping[str, float]) -> None:
        super().__init__(weighting.tasks)
        if isinstance(weighting, GradientWeighting):
            raise TypeError(
                f"LossGate drops losses from a weighted sum, {type(weighting).__name__} combines gradients; "
                "put another weighting within"
            )
        if set(below) - set(self.tasks) or not all(math.isfinite(value) for value in below.values()):
            raise ValueError(f"below should be finite numbers for some of the tasks {list(self.tasks)}, got {dict(below)}")
        self.weighting, self.below = weighting, {task: float(value) for task, value in below.items()}
        self.learning_rate, self.epochs_needed = weighting.learning_rate, weighting.epochs_needed

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        self.check(losses)
        kept = {task: loss for task, loss in losses.items() if not float(loss.detach()) < self.below.get(task, -math.inf)}
        if not kept:
            return sum_of([0.0 * loss for loss in losses.values()])
        total: Tensor = self.weighting(kept)
        return total

    def weights(self) -> dict[str, float]:
        return self.weighting.weights()

    def observe(self, losses: Mapping[str, float]) -> None:
        self.weighting.observe(losses)

    def end_epoch(self) -> None:
        self.weighting.end_epoch()

    def determining(self) -> dict[str, Any]:
        return {**super().determining(), "below": self.below, "weighting": self.weighting.determining()}
