"""Learning rates over time: one factor for all groups, a pure function of the step, so every ratio holds at every step."""

from __future__ import annotations

import math

import torch

from taskweave.training.options import Constant, Cosine, Poly, Schedule, StepDecay


def factor(schedule: Schedule, step: int, *, steps: int) -> float:
    """What every group's base rate is multiplied by at `step` (from 0) of a training of `steps`."""
    warmth = (step + 1) / schedule.warm_up if step < schedule.warm_up else 1.0
    match schedule:
        case Constant():
            return warmth
        case Poly():
            return float(warmth * (1.0 - _share(step, schedule.total or steps)) ** schedule.power)
        case StepDecay():
            return float(warmth * schedule.factor ** (step // schedule.every))
        case Cosine():
            return warmth * (1.0 + math.cos(math.pi * _share(step, schedule.total or steps))) / 2.0


def _share(step: int, total: int) -> float:
    return min(step / total, 1.0)


def set_rates(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Give every group its base rate times `factor`."""
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * factor


def rates(optimizer: torch.optim.Optimizer) -> dict[str, float]:
    """The current rate by group label, for the log."""
    return {group["label"]: float(group["lr"]) for group in optimizer.param_groups}
