"""A task asked of several networks at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

from torch import Tensor
from torchmetrics import Metric

from taskweave.tasks.task import Task, mean_soft


@final
class Averaged(Task):
    """`task` for an `Ensemble`, whose output is a list: its soft prediction is the mean of the members'."""

    directions = {}  # noqa: RUF012 - an ensemble's columns are its task's, see `task`

    def __init__(self, task: Task) -> None:
        self.task = task

    @property
    def channels(self) -> int:
        return self.task.channels

    def network_input(self, image: Tensor, target: Any | None, rois: Sequence[Tensor] | None) -> Any:
        return self.task.network_input(image, target, rois)

    def select(self, output: Sequence[Any], rows: Tensor) -> list[Any]:
        return [self.task.select(member, rows) for member in output]

    def loss(self, output: Sequence[Any], target: Any) -> Tensor:
        losses = [self.task.loss(member, target) for member in output]
        return sum(losses[1:], losses[0]) / len(losses)

    def soft(self, output: Sequence[Any], size: tuple[int, int]) -> Any:
        return mean_soft(self.task, output, size)

    def harden(self, soft: Any) -> Any:
        return self.task.harden(soft)

    def metric(self) -> Metric:
        return self.task.metric()

    def picture(self, value: Tensor) -> Tensor:
        return self.task.picture(value)

    def over(self, image: Tensor, value: Any) -> Tensor:
        return self.task.over(image, value)
