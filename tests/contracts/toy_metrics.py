"""A right metric of toy tasks, and wrong ones that the contracts of tasks must notice."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric


class Errors(Metric):
    """Mean absolute error over targets above 0: right."""

    full_state_update = False
    total: Tensor
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        if prediction.shape != target.shape:
            raise ValueError(f"Toy expects one shape, got {tuple(prediction.shape)}; decode first")
        valid = target > 0
        self.total += (prediction - target).abs()[valid].double().sum()
        self.count += valid.sum()

    def compute(self) -> dict[str, Tensor]:
        return {"error": self.total / self.count}


class BatchMeans(Errors):
    """The mean of batches' means: wrong, if common."""

    def update(self, prediction: Tensor, target: Tensor) -> None:
        valid = target > 0
        self.total += (prediction - target).abs()[valid].double().mean().nan_to_num()
        self.count += 1


class LastBatch(Errors):
    """What it has seen last: the Pet code's test of its three-task network."""

    def update(self, prediction: Tensor, target: Tensor) -> None:
        self.total, self.count = torch.zeros_like(self.total), torch.zeros_like(self.count)
        super().update(prediction, target)


class WithHoles(Errors):
    """Takes in targets that are not labelled."""

    def update(self, prediction: Tensor, target: Tensor) -> None:
        self.total += (prediction - target).abs().double().sum()
        self.count += target.numel()


class Unmerged(Errors):
    """Keeps its sums from the other processes."""

    def __init__(self) -> None:
        super().__init__()
        self._reductions["total"] = lambda values: values[0]

    def _reduce_states(self, incoming_state: dict[str, Any]) -> None:
        self.count = self.count + incoming_state["count"]
