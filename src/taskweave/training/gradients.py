"""From the losses of a step's batches to the gradient that the optimiser follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor

from taskweave.training.state import Training
from taskweave.weighting.weighting import GradientWeighting

_PENALTY = ""
"""The units' penalty among the gradients; no task is called so."""


@final
class OfSum:
    """The gradient of the weighted sum of the losses, with the units' penalty; `parts` batches make a step."""

    def __init__(self, run: Training, *, parts: int) -> None:
        self._run, self._parts = run, parts

    def add(self, losses: Mapping[str, Tensor]) -> None:
        """Take a batch's losses. Raises NonFiniteLossError."""
        run = self._run
        total, penalty = run.weighting(losses), run.net.penalty()
        whole: Tensor = total if penalty is None else total + penalty
        run.check_finite("the weighted loss with the units' penalty", float(whole.detach()))
        if run.ranks.alone or whole.requires_grad:  # all labels may be other processes'
            run.fabric.backward(whole / self._parts)

    def finish(self) -> None:
        """Leave the step's gradient with the parameters."""
        self._run.ranks.average_gradients(self._run.parameters())


@final
class OfTasks:
    """Every task's gradient of the whole step, then combined by a `GradientWeighting`; the units' penalty is added."""

    def __init__(self, run: Training, weighting: GradientWeighting, *, parts: int) -> None:
        self._run, self._weighting, self._parts = run, weighting, parts
        self._parameters = [parameter for parameter in run.parameters() if parameter.requires_grad]
        self._found: dict[str, list[Tensor | None]] = {}

    def add(self, losses: Mapping[str, Tensor]) -> None:
        """Take a batch's losses."""
        self._weighting.check_losses(losses)
        penalty = self._run.net.penalty()
        if penalty is not None and not penalty.requires_grad:
            penalty = None
        for name in (*losses, *([] if penalty is None else [_PENALTY])):
            self._found.setdefault(name, [None] * len(self._parameters))
        reached = {n: loss for n, loss in losses.items() if self._run.ranks.alone or loss.requires_grad}
        for left, (name, loss) in zip(reversed(range(len(reached))), reached.items(), strict=True):
            self._run.fabric.backward(loss / self._parts, retain_graph=left > 0)
            self._take(name)
        if penalty is not None:
            self._run.fabric.backward(penalty / self._parts)
            self._take(_PENALTY)

    def _take(self, name: str) -> None:
        """Move what a backward pass left with the parameters to the task's own."""
        own = self._found[name]
        for i, parameter in enumerate(self._parameters):
            gradient, before = parameter.grad, own[i]
            if gradient is not None:
                own[i] = gradient if before is None else before.add_(gradient)
            parameter.grad = None

    @torch.no_grad()
    def finish(self) -> None:
        """Leave the step's gradient with the parameters. Raises NonFiniteLossError."""
        for name in self._found:
            self._average(name)
        penalty = self._found.pop(_PENALTY, None)
        for i, parameter in enumerate(self._parameters):
            own = [of[i] for of in self._found.values() if of[i] is not None]
            parameter.grad = own[0] if own else None
        self._combine()
        if penalty is not None:
            for parameter, gradient in zip(self._parameters, penalty, strict=True):
                if gradient is not None:
                    parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient

    def _average(self, name: str) -> None:
        for parameter, gradient in zip(self._parameters, self._found[name], strict=True):
            parameter.grad = gradient
        self._run.ranks.average_gradients(self._parameters)
        self._found[name] = [parameter.grad for parameter in self._parameters]

    def _combine(self) -> None:
        """Give the parameters that several tasks reach (or all that one does) the aggregated gradient."""
        least = 2 if self._weighting.over == "shared" else 1
        reached = [sum(of[i] is not None for of in self._found.values()) for i in range(len(self._parameters))]
        chosen = [i for i, count in enumerate(reached) if count >= least]
        if not chosen or len(self._found) < 2:
            return
        flat = {name: torch.cat([self._flat(of[i], i) for i in chosen]) for name, of in self._found.items()}
        moving = {name: gradient for name, gradient in flat.items() if gradient.any()}
        combined = self._weighting.aggregate(moving) if moving else torch.zeros_like(next(iter(flat.values())))
        combined = self._run.ranks.tensor_of_leader(combined)  # some aggregators draw at random
        self._run.check_finite("the norm of the aggregated gradient", float(combined.norm()))
        parts = torch.split(combined, [self._parameters[i].numel() for i in chosen])
        for i, part in zip(chosen, parts, strict=True):
            self._parameters[i].grad = part.view(self._parameters[i].shape).clone()

    def _flat(self, gradient: Tensor | None, place: int) -> Tensor:
        return torch.zeros_like(self._parameters[place]).flatten() if gradient is None else gradient.flatten()


def step_gradients(run: Training, *, parts: int) -> OfSum | OfTasks:
    """What gathers the gradient of a step on `parts` batches."""
    weighting = run.weighting
    return OfTasks(run, weighting, parts=parts) if isinstance(weighting, GradientWeighting) else OfSum(run, parts=parts)
