"""What TorchJD's aggregators remember from step to step, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from torchjd.aggregation import Aggregator, GradVac, NashMTL

MISSING = "gradient aggregation needs TorchJD and its solvers: pip install taskweave[aggregation]"


def check_storable(aggregator: Aggregator) -> None:
    """Raise ImportError without TorchJD, TypeError for what is none of its aggregators, ValueError for an unknown state."""
    try:
        from torchjd import Stateful
        from torchjd.aggregation import Aggregator as Kind
    except ImportError as error:
        raise ImportError(MISSING) from error
    if not isinstance(aggregator, Kind):
        raise TypeError(
            f"aggregator should be an object of torchjd.aggregation such as UPGrad(), got {aggregator!r} "
            f"({type(aggregator).__name__})"
        )
    known = isinstance(aggregator, _remembering()) or not (isinstance(aggregator, Stateful) or aggregator.state_dict())
    if not known:
        raise ValueError(
            f"{aggregator!r} keeps a state that cannot be stored here, so that a resumed training would differ; "
            "take NashMTL, GradVac or one without state"
        )


def _remembering() -> tuple[type[NashMTL], type[GradVac]]:
    from torchjd.aggregation import GradVac, NashMTL

    return NashMTL, GradVac


def fresh_copy(aggregator: Aggregator, tasks: int) -> Aggregator:
    """One of the same kind and options without memory, for so many tasks."""
    found = deepcopy(aggregator)
    nash, _ = _remembering()
    if isinstance(found, nash):  # the one that is made for a number of tasks
        found.n_tasks = tasks
        found.reset()
    return found


def weighting_of(aggregator: Aggregator) -> nn.Module | None:
    """What gives an aggregator the factors of its rows; None for one that has none."""
    from torchjd.aggregation import WeightedAggregator

    return aggregator.weighting if isinstance(aggregator, WeightedAggregator) else None


def state_of(aggregator: Aggregator) -> dict[str, Any]:
    """Plain values and tensors; {} for an aggregator without memory."""
    inner: Any = getattr(aggregator, "weighting", None)
    nash, vac = _remembering()
    if isinstance(aggregator, nash):
        previous = torch.from_numpy(np.array(inner.prvs_alpha))
        return {"previous": previous, "step": inner.step, "scale": float(np.asarray(inner.normalization_factor).item())}
    if isinstance(aggregator, vac):
        inner = aggregator.gramian_weighting
        return {"targets": deepcopy(inner._phi_t), "key": None if inner._state_key is None else list(inner._state_key)}
    return {}


def restore_state(aggregator: Aggregator, state: Mapping[str, Any]) -> None:
    """Go on as the aggregator that `state_of` was asked of."""
    inner: Any = getattr(aggregator, "weighting", None)
    nash, vac = _remembering()
    if isinstance(aggregator, nash):
        inner.prvs_alpha, inner.step = state["previous"].numpy().copy(), state["step"]
        inner.normalization_factor = np.full((1,), state["scale"])
        if inner.step:
            inner._init_optim_problem()
    if isinstance(aggregator, vac):
        inner = aggregator.gramian_weighting
        inner._phi_t = deepcopy(state["targets"])
        inner._state_key = None if state["key"] is None else tuple(state["key"])
