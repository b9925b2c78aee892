"""Optimisers and learning-rate schedules as parts: a group's rate is `lr`, times its multiple, times the step's factor."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, final

import torch
from annotated_types import Ge, Gt, Le, Lt

from taskweave.parts import states

__all__ = ["Schedule", "adam", "adamw", "constant", "cosine", "poly", "sgd", "step"]

Groups = Iterable[dict[str, Any]]
"""torch's parameter groups; each has its own `lr` and `weight_decay`."""

Rate = Annotated[float, Gt(0)]


def _check_momentum(options: Mapping[str, Any]) -> None:
    if options["nesterov"] and options["momentum"] == 0:
        raise ValueError("nesterov needs momentum above 0, got momentum=0; set momentum, or nesterov=False")


@states(scales_units=True, check=_check_momentum)
def sgd(
    groups: Groups, *, lr: Rate = 1e-3, momentum: Annotated[float, Ge(0), Lt(1)] = 0.9, nesterov: bool = False
) -> torch.optim.SGD:
    """Stochastic gradient descent. The only optimiser under which a unit's own learning-rate multiplier applies.

    Args:
        groups: See `Groups`.
        lr: The base rate.
        momentum: Of the gradient's running sum.
        nesterov: Nesterov's form of it, which needs a momentum above 0.
    """
    return torch.optim.SGD(groups, lr=lr, momentum=momentum, nesterov=nesterov)


def adam(groups: Groups, *, lr: Rate = 1e-4, betas: tuple[float, float] = (0.9, 0.999)) -> torch.optim.Adam:
    """Adam; weight decay is added to the gradient (L2).

    Args:
        groups: See `Groups`.
        lr: The base rate.
        betas: Decay of the running means of the gradient and of its square.
    """
    return torch.optim.Adam(groups, lr=lr, betas=betas, weight_decay=0.0)


def adamw(groups: Groups, *, lr: Rate = 1e-4, betas: tuple[float, float] = (0.9, 0.999)) -> torch.optim.AdamW:
    """Adam with decoupled weight decay.

    Args:
        groups: See `Groups`.
        lr, betas: As in `adam`.
    """
    return torch.optim.AdamW(groups, lr=lr, betas=betas, weight_decay=0.0)


WarmUp = Annotated[int, Ge(0)]
"""Steps over which the rate rises linearly: (s + 1) / warm_up of it at step s."""

Steps = Annotated[int, Ge(1)]


@final
class Schedule:
    """What every group's base rate is multiplied by, step by step.

    Args:
        factor: From the number of the step, from 0, to the factor.
        warm_up: Steps over which the factor rises linearly, from 1 / warm_up of itself.
    """

    def __init__(self, factor: Callable[[int], float], *, warm_up: int = 0) -> None:
        self._factor, self._warm_up = factor, warm_up

    def __call__(self, step: int) -> float:
        """The factor at `step`, counted from 0."""
        warmth = (step + 1) / self._warm_up if step < self._warm_up else 1.0
        return warmth * self._factor(step)


def constant(steps: int, *, warm_up: WarmUp = 0) -> Schedule:
    """The base rate at every step.

    Args:
        steps: Of the training.
        warm_up: Steps over which the rate rises linearly.
    """
    return Schedule(lambda s: 1.0, warm_up=warm_up)


def poly(steps: int, *, power: Annotated[float, Gt(0)] = 0.9, total: Steps | None = None, warm_up: WarmUp = 0) -> Schedule:
    """base * (1 - s / total) ** power at step s.

    Args:
        steps: Of the training.
        power: How fast it falls.
        total: The step at which it is 0; None for the training's own number of steps.
        warm_up: Steps over which the rate rises linearly.
    """
    return Schedule(lambda s: float((1.0 - _share(s, total or steps)) ** power), warm_up=warm_up)


def step(steps: int, *, every: Steps, factor: Annotated[float, Gt(0), Le(1)] = 0.5, warm_up: WarmUp = 0) -> Schedule:
    """base * factor ** (s // every) at step s.

    Args:
        steps: Of the training.
        every: Steps between two falls.
        factor: Of each fall.
        warm_up: Steps over which the rate rises linearly.
    """
    return Schedule(lambda s: float(factor ** (s // every)), warm_up=warm_up)


def cosine(steps: int, *, total: Steps | None = None, warm_up: WarmUp = 0) -> Schedule:
    """base * (1 + cos(pi * s / total)) / 2 at step s.

    Args:
        steps: Of the training.
        total: As in `poly`.
        warm_up: Steps over which the rate rises linearly.
    """
    return Schedule(lambda s: (1.0 + math.cos(math.pi * _share(s, total or steps))) / 2.0, warm_up=warm_up)


def _share(step: int, total: int) -> float:
    return min(step / total, 1.0)
