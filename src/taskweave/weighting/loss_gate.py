"""Losses that are small enough are left out of a step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, final

from torch import Tensor

from taskweave.parts import Part, makes
from taskweave.weighting.weighting import ByTask, GradientWeighting, Tasks, Weighting, sum_of


@final
class LossGate(Weighting):
    """Another weighting, with each loss below its task's threshold dropped from that batch's total.

    The pet paper's public code: a task that is good enough must not be overfitted while the others still learn. What is
    within is told of every loss, also of those that are dropped, so that `DynamicWeightAverage` goes by all of them and its
    weights still sum to K. The log has the weights of the losses that count. Where all losses of a batch are dropped, its
    total is 0.

    Args:
        below: {task: threshold}; a loss equal to it counts. A task that is not named always counts.
        weighting: What weighs the losses that are left.

    Raises:
        ValueError: A threshold is not finite or of another task, or `weighting` combines gradients.
    """

    def __init__(self, tasks: Tasks, *, below: ByTask, weighting: Part[Weighting]) -> None:
        super().__init__(tasks)
        self.check({"weighting": weighting})
        self.check_named("below", below, "finite numbers", least=-math.inf)
        self.weighting, self.below = weighting(tasks), {task: float(value) for task, value in below.items()}
        self.learning_rate, self.epochs_needed = self.weighting.learning_rate, self.weighting.epochs_needed

    @staticmethod
    def check(options: Mapping[str, Any]) -> None:
        """Raise ValueError for a weighting within that has no losses to drop."""
        within: Part[Weighting] = options["weighting"]
        if makes(within.call, GradientWeighting):
            raise ValueError(
                f"LossGate drops losses from a weighted sum, {within.call.__name__} combines gradients and drops no "
                "losses; put another weighting within"
            )

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        self.check_losses(losses)
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

    @staticmethod
    def title(options: Mapping[str, Any]) -> str:
        within: Part[Weighting] = options["weighting"]
        return within.title

    @staticmethod
    def named(options: Mapping[str, Any]) -> Sequence[str]:
        within: Part[Weighting] = options["weighting"]
        return [*options["below"], *within.fact("named", default=())]
