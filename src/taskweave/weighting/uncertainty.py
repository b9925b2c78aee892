"""Weights learned as the tasks' uncertainty."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, final

import torch
from torch import Tensor, nn

from taskweave.weighting.weighting import Weighting, sum_of

Form = Literal["regression", "classification"]
_FACTOR: dict[Form, float] = {"regression": 0.5, "classification": 1.0}


@final
class Uncertainty(Weighting):
    """sum_k f_k exp(-s_k) L_k + s_k / 2, s_k = log sigma_k^2 learned; f = 1/2 for regression, 1 for classification.

    Kendall, Gal and Cipolla 2018. The s_k learn with the network, at a rate of their own if asked for, and never decay. The
    whole may be negative; logs show the losses unweighted.

    forms: {task: its form}. MTAN's code has "regression" for every task.
    initial: s at the start; MTAN's code has -0.5, others 0.
    learning_rate: before the schedule's factor; None for the network's base rate.
    largest: of |s|. **Deviation**: s is put back there after a step, else a task whose loss is 0 would drive its weight to
        infinity. 10 means weights between 4.5e-5 and 22,026 times f.
    A task that is absent from a step keeps its s: each is a parameter of its own, which gets no gradient then.
    Raises ValueError for options out of range, and for a form that is neither.
    """

    def __init__(
        self,
        forms: Mapping[str, Form],
        *,
        initial: float = -0.5,
        learning_rate: float | None = None,
        largest: float = 10.0,
    ) -> None:
        super().__init__(list(forms))
        if wrong := {task: form for task, form in forms.items() if form not in _FACTOR}:
            raise ValueError(f"Uncertainty knows the forms {list(_FACTOR)}, got {wrong}")
        if not 0.0 < largest < 80.0 or not abs(initial) <= largest:
            raise ValueError(f"Uncertainty needs |initial| <= largest < 80, got initial={initial}, largest={largest}")
        if learning_rate is not None and not 0.0 < learning_rate < math.inf:
            raise ValueError(f"Uncertainty needs a learning_rate above 0, or None for the network's, got {learning_rate}")
        self.forms, self.initial, self.largest = dict(forms), float(initial), float(largest)
        self.learning_rate = learning_rate
        self.log_variances = nn.ParameterList(nn.Parameter(torch.tensor(self.initial)) for _ in self.tasks)

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        self.check(losses)
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
