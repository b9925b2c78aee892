"""Weights learned as the tasks' uncertainty."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Protocol, final

import torch
from annotated_types import Gt, Lt
from torch import Tensor, nn

from taskweave.weighting.weighting import Above0, Weighting, sum_of

Form = Literal["regression", "classification"]
_FACTOR: dict[Form, float] = {"regression": 0.5, "classification": 1.0}


class Regressing(Protocol):
    """A task that says whether it predicts numbers, not classes."""

    @property
    def regression(self) -> bool: ...


@final
class Uncertainty(Weighting):
    """Weights learned from each task's uncertainty.

    sum_k f_k exp(-s_k) L_k + s_k / 2, s_k = log sigma_k^2 learned; f = 1/2 for regression, 1 for classification.

    Kendall, Gal and Cipolla 2018. The s_k learn with the network, at a rate of their own if asked for, and never decay. The
    whole may be negative; logs show the losses unweighted.

    A task that is absent from a step keeps its s: each is a parameter of its own, which gets no gradient then.
    **Deviation**: after a step s is put back within `largest`, else a task whose loss is 0 would drive its weight to
    infinity.

    Args:
        tasks: {name: task}; under forms="regression" the names are enough.
        forms: "by_task": each task's own form; "regression": of every task, as MTAN's code.
        initial: s at the start; MTAN's code has -0.5, others 0.
        learning_rate: Of s, before the schedule's factor; None for the network's base rate.
        largest: Of |s|; 10 means weights between 4.5e-5 and 22,026 times f.

    Raises:
        ValueError: An option is out of range, or forms="by_task" was given names alone.
    """

    title: ClassVar[str] = "uncertainty"

    def __init__(
        self,
        tasks: Mapping[str, Regressing] | Sequence[str],
        *,
        forms: Literal["by_task", "regression"] = "by_task",
        initial: float = -0.5,
        learning_rate: Above0 | None = None,
        largest: Annotated[float, Gt(0), Lt(80)] = 10.0,
    ) -> None:
        super().__init__(tasks)
        self.check({"initial": initial, "largest": largest})
        if learning_rate is not None and not 0.0 < learning_rate < math.inf:
            raise ValueError(f"Uncertainty needs a learning_rate above 0, or None for the network's, got {learning_rate}")
        self.forms, self.initial, self.largest = _forms(tasks, forms), float(initial), float(largest)
        self.learning_rate = learning_rate
        self.log_variances = nn.ParameterList(nn.Parameter(torch.tensor(self.initial)) for _ in self.tasks)

    @staticmethod
    def check(options: Mapping[str, Any]) -> None:
        """Raise ValueError for a start outside the range of s."""
        initial, largest = options["initial"], options["largest"]
        if not 0.0 < largest < 80.0 or not abs(initial) <= largest:
            raise ValueError(f"Uncertainty needs |initial| <= largest < 80, got initial={initial}, largest={largest}")

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        self.check_losses(losses)
        of = dict(zip(self.tasks, self.log_variances, strict=True))
        terms = [_FACTOR[self.forms[t]] * torch.exp(-of[t]) * loss + of[t] / 2.0 for t, loss in losses.items()]
        return sum_of(terms)

    def weights(self) -> dict[str, float]:
        values = [float(s.detach()) for s in self.log_variances]
        return {task: _FACTOR[self.forms[task]] * math.exp(-s) for task, s in zip(self.tasks, values, strict=True)}

    def observe(self, losses: Mapping[str, float]) -> None:
        with torch.no_grad():
            for s in self.log_variances:
                s.clamp_(-self.largest, self.largest)

    def determining(self) -> dict[str, Any]:
        return {
            **super().determining(),
            "forms": dict(self.forms),
            "initial": self.initial,
            "learning_rate": self.learning_rate,
            "largest": self.largest,
        }


def _forms(tasks: Mapping[str, Regressing] | Sequence[str], forms: Literal["by_task", "regression"]) -> dict[str, Form]:
    if forms == "regression":
        return dict.fromkeys(tasks, "regression")
    if forms != "by_task":
        raise ValueError(f"Uncertainty knows the forms 'by_task' and 'regression', got {forms!r}")
    if not isinstance(tasks, Mapping):
        raise ValueError(
            f"Uncertainty goes by each task's own form and was given the names {list(tasks)} alone; give {{name: task}}, "
            'or forms="regression"'
        )
    return {name: "regression" if task.regression else "classification" for name, task in tasks.items()}
