"""The geometric mean of the losses."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, final

import torch
from torch import Tensor

from taskweave.weighting.weighting import Above0, Tasks, Weighting, sum_of


@final
class GeometricMean(Weighting):
    """The geometric mean of the losses.

    (prod_k L_k)^(1/K) over the K losses that are there; the factor of task k's gradient is (prod L)^(1/K) / (K L_k).

    GLS, Chennupati et al. 2019. One loss alone is itself. Nothing is learned or remembered but the last factors, for the
    log; before the first step they are 1/K.

    With accumulated batches the step's loss is the mean of the batches' geometric means.
    **Deviation**: a loss below `smallest` is left out of the mean, at a factor of 0: a loss of 0 would make the mean 0 and
    stop all tasks. Where all are below it, their plain sum.

    Args:
        smallest: The least loss that counts.

    Raises:
        ValueError: `smallest` is not positive; when called, a loss is negative.
    """

    title: ClassVar[str] = "geometric mean"

    def __init__(self, tasks: Tasks, *, smallest: Above0 = 1e-8) -> None:
        super().__init__(tasks)
        if not 0.0 < smallest < math.inf:
            raise ValueError(f"GeometricMean needs smallest above 0, got {smallest}")
        self.smallest = float(smallest)
        self._factors = {task: 1.0 / len(self.tasks) for task in self.tasks}

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        self.check_losses(losses)
        values = {task: float(loss.detach()) for task, loss in losses.items()}
        counted = [losses[task] for task in self._counted(values)]
        if not counted:
            return sum_of(list(losses.values()))
        if len(counted) == 1:
            return counted[0]
        return torch.stack([loss.log() for loss in counted]).mean().exp()

    def _counted(self, values: Mapping[str, float]) -> list[str]:
        if negative := {task: value for task, value in values.items() if value < 0.0}:
            raise ValueError(f"GeometricMean needs losses that are not negative, got {negative}; choose another weighting")
        return [task for task, value in values.items() if value >= self.smallest]

    def observe(self, losses: Mapping[str, float]) -> None:
        counted = self._counted(losses)
        if not counted:
            self._factors |= dict.fromkeys(losses, 1.0)
            return
        mean = math.exp(sum(math.log(losses[task]) for task in counted) / len(counted))
        self._factors |= {task: mean / (len(counted) * losses[task]) if task in counted else 0.0 for task in losses}

    def weights(self) -> dict[str, float]:
        """Of the last step's losses."""
        return dict(self._factors)

    def get_extra_state(self) -> dict[str, float]:
        return dict(self._factors)

    def set_extra_state(self, state: Mapping[str, float]) -> None:
        self._factors = dict(state)

    def determining(self) -> dict[str, Any]:
        return {**super().determining(), "smallest": self.smallest}
