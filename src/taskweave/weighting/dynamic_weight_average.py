"""Weights from how fast each task's loss falls."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, final

from torch import Tensor

from taskweave.weighting.weighting import NONE_NAMED, Above0, ByTask, Tasks, Weighting, weighted_sum

_MOST = 50.0
"""The largest |ratio / T|; weights stay above 0 in double precision."""


@final
class DynamicWeightAverage(Weighting):
    """Dynamic weight averaging: a task whose loss falls more slowly weighs more.

    w_k = K p_k exp(r_k / T) / sum_i p_i exp(r_i / T), r_k = L_k(t - 1) / L_k(t - 2).

    L_k(t) is the mean of epoch t's unweighted training losses over the batches (with accumulation: the steps) that are
    labelled for task k. Liu et al. 2019 (MTAN); eq. 3 of the pet paper. The weights sum to K.

    **Deviations**: r = 1 where the task has no two losses yet (no labelled batch in an epoch leaves its history as it was)
    and where the older one is 0, so that a task that is done keeps a weight; r / T is kept within 50.

    Args:
        temperature: T.
        pre_weights: p_k, 1 for a task that is not named; the weights themselves until there is a ratio (the first two
            epochs).
        every: "epoch" as published; "iteration" as the pet paper's code: ratios of the last two steps' losses of one
            epoch, and the pre-weights in the first two steps of every epoch.

    Raises:
        ValueError: The temperature or a pre-weight is not positive, or a pre-weight is of another task.
    """

    def __init__(
        self,
        tasks: Tasks,
        *,
        temperature: Above0 = 2.0,
        pre_weights: ByTask = NONE_NAMED,
        every: Literal["epoch", "iteration"] = "epoch",
    ) -> None:
        super().__init__(tasks)
        if not 0.0 < temperature < math.inf:
            raise ValueError(f"DynamicWeightAverage needs a temperature above 0, got {temperature}; MTAN's is 2")
        self.check_named("pre_weights", pre_weights, "positive numbers", least=0.0)
        self.temperature, self.every = float(temperature), every
        self.pre_weights = {task: float(pre_weights.get(task, 1.0)) for task in self.tasks}
        self.epochs_needed = 2 if every == "epoch" else 0
        self._sums: dict[str, list[float]] = {}  # of the epoch under way: {task: [sum, count]}
        self._last: dict[str, list[float]] = {}  # {task: the last two losses, older first}

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        self.check_losses(losses)
        return weighted_sum(self.weights(), losses)

    def weights(self) -> dict[str, float]:
        ratios = {task: _ratio(self._last.get(task, ())) for task in self.tasks}
        if all(ratio is None for ratio in ratios.values()):
            return dict(self.pre_weights)
        powers = [_bounded((1.0 if r is None else r) / self.temperature) for r in ratios.values()]
        raw = [p * math.exp(x - max(powers)) for p, x in zip(self.pre_weights.values(), powers, strict=True)]
        return {task: len(raw) * value / sum(raw) for task, value in zip(self.tasks, raw, strict=True)}

    def observe(self, losses: Mapping[str, float]) -> None:
        for task, loss in losses.items():
            if self.every == "iteration":
                self._append(task, loss)
            else:
                total, count = self._sums.get(task, (0.0, 0))
                self._sums[task] = [total + loss, count + 1]

    def end_epoch(self) -> None:
        if self.every == "iteration":
            self._last = {}
        for task, (total, count) in self._sums.items():
            self._append(task, total / count)
        self._sums = {}

    def _append(self, task: str, loss: float) -> None:
        self._last[task] = [*self._last.get(task, ()), loss][-2:]

    def get_extra_state(self) -> dict[str, Any]:
        return {"sums": dict(self._sums), "last": dict(self._last)}

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        self._sums = {task: list(values) for task, values in state["sums"].items()}
        self._last = {task: list(values) for task, values in state["last"].items()}

    def determining(self) -> dict[str, Any]:
        return {
            **super().determining(),
            "temperature": self.temperature,
            "pre_weights": self.pre_weights,
            "every": self.every,
        }

    @staticmethod
    def title(options: Mapping[str, Any]) -> str:
        return "DWA" + (" per iteration" if options["every"] == "iteration" else "")

    @staticmethod
    def named(options: Mapping[str, Any]) -> Sequence[str]:
        return list(options["pre_weights"])


def _ratio(last: Sequence[float]) -> float | None:
    """The newer loss over the older; None where there are no two. Losses are told as finite; 0 / 0 says nothing: 1."""
    if len(last) < 2:
        return None
    return last[1] / last[0] if last[0] > 0.0 else 1.0


def _bounded(power: float) -> float:
    return max(-_MOST, min(power, _MOST))
