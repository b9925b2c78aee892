"""Optimisers as parts: `lr` is the base rate, of which every group of parameters has a multiple."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import torch
from annotated_types import Ge, Gt, Lt

from taskweave.parts import states

__all__ = ["adam", "adamw", "sgd"]

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
