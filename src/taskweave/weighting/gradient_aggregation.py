"""Combining the tasks' gradients with TorchJD's aggregators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Literal, final

import torch
from torch import Tensor

from taskweave.weighting.aggregator_state import check_storable, fresh_copy, restore_state, state_of
from taskweave.weighting.weighting import GradientWeighting, sum_of

if TYPE_CHECKING:
    from torchjd.aggregation import Aggregator

Tasks = tuple[str, ...]


@final
class GradientAggregation(GradientWeighting):
    """The tasks' gradients over what they share, combined by an aggregator of TorchJD: UPGrad, MGDA, PCGrad, CAGrad, ...

    ``GradientAggregation(["seg", "depth"], torchjd.aggregation.UPGrad())``. Most aggregators weigh the gradients (`weights`
    then tells the last step's factors); ConFIG and GradDrop do not, and have none to tell.

    aggregator: stays as given; each set of two or more tasks that meets in a step works with a copy of its own.
    over: see `GradientWeighting`; "all" is the aggregation of the whole gradients, in which a task that does not reach a
        parameter counts with 0 (then `Mean` is the mean loss's gradient exactly).

    With accumulated batches the gradients are those of the whole step: data sets that label one task each meet there. A
    step with one task follows that task's gradient, whatever the aggregator. It costs a backward pass for each task, and
    memory for each task's gradient.

    **Deviation**: a task whose gradient is 0 everywhere is left out of its step; min-norm methods would else return 0.
    Raises ImportError without TorchJD, ValueError for an aggregator whose state is not known here: a resumed training would
    differ.
    """

    def __init__(self, tasks: Sequence[str], aggregator: Aggregator, *, over: Literal["shared", "all"] = "shared") -> None:
        super().__init__(tasks)
        check_storable(aggregator)
        self.over = over
        self._given = [deepcopy(aggregator)]  # in a list: a part of this module would be moved and stored with it
        self._used: dict[Tasks, Aggregator] = {}
        self._factors: dict[str, float] = {}

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        self.check(losses)
        return sum_of(list(losses.values()))

    def aggregate(self, gradients: Mapping[str, Tensor]) -> Tensor:
        self.check(gradients)
        tasks = tuple(task for task in self.tasks if task in gradients)
        if len(tasks) == 1:
            self._factors |= {tasks[0]: 1.0}
            return gradients[tasks[0]]
        aggregator, weights = self._of(tasks), list[Tensor]()
        inner = getattr(aggregator, "weighting", None)  # of those aggregators that weigh rows
        hook = None if inner is None else inner.register_forward_hook(lambda *told: weights.append(told[-1]))
        try:
            found: Tensor = aggregator(torch.stack([gradients[task] for task in tasks]))
        finally:
            if hook is not None:
                hook.remove()
        if weights:
            self._factors |= dict(zip(tasks, weights[-1].tolist(), strict=True))
        return found

    def _of(self, tasks: Tasks) -> Aggregator:
        """The copy of the aggregator for these tasks."""
        if tasks not in self._used:
            self._used[tasks] = fresh_copy(self._given[0], len(tasks))
        return self._used[tasks]

    def weights(self) -> dict[str, float]:
        """Of the last step in which each task met others; {} for an aggregator without weights and before the first."""
        return dict(self._factors)

    def get_extra_state(self) -> dict[str, Any]:
        used = [{"tasks": list(tasks), "state": state_of(one)} for tasks, one in self._used.items()]
        return {"factors": dict(self._factors), "used": used}

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        self._factors, self._used = dict(state["factors"]), {}
        for stored in state["used"]:
            restore_state(self._of(tuple(stored["tasks"])), stored["state"])

    def determining(self) -> dict[str, Any]:
        return {**super().determining(), "aggregator": repr(self._given[0]), "over": self.over}
