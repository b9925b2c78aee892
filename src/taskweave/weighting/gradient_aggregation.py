"""Combining the tasks' gradients with TorchJD's aggregators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Literal, final

import torch
from torch import Tensor

from taskweave.weighting.aggregator_state import check_storable, fresh_copy, restore_state, state_of, weighting_of
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
        self._met: set[str] = set()  # the tasks that met in the step under way

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        self.check(losses)
        return sum_of(list(losses.values()))

    def aggregate(self, gradients: Mapping[str, Tensor]) -> Tensor:
        self.check(gradients)
        tasks = tuple(task for task in self.tasks if task in gradients)
        if len(tasks) == 1:
            return gradients[tasks[0]]
        aggregator, rows = self._of(tasks), torch.stack([gradients[task] for task in tasks])
        inner = weighting_of(aggregator)
        if inner is None:
            return aggregator(rows)
        factors: list[Tensor] = []
        hook = inner.register_forward_hook(lambda *told: factors.append(told[-1]))
        try:
            found = aggregator(rows)
        finally:
            hook.remove()
        self._factors |= dict(zip(tasks, factors[-1].tolist(), strict=True))
        self._met.update(tasks)
        return found

    def observe(self, losses: Mapping[str, float]) -> None:
        if weighting_of(self._given[0]) is not None:
            self._factors |= {task: 1.0 for task in losses if task not in self._met}
        self._met.clear()

    def _of(self, tasks: Tasks) -> Aggregator:
        """The copy of the aggregator for these tasks."""
        if tasks not in self._used:
            self._used[tasks] = fresh_copy(self._given[0], len(tasks))
        return self._used[tasks]

    def weights(self) -> dict[str, float]:
        """Of each task's last step, 1 where it met no other; {} for an aggregator without weights and before the first."""
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
