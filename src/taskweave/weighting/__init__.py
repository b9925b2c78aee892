"""{task: loss} -> one loss, or {task: gradient} -> one gradient: the contract, and one file per method."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "DynamicWeightAverage": "dynamic_weight_average",
    "Fixed": "fixed",
    "GeometricMean": "geometric_mean",
    "GradientAggregation": "gradient_aggregation",
    "GradientWeighting": "weighting",
    "LossGate": "loss_gate",
    "Uncertainty": "uncertainty",
    "VarianceRatio": "variance_ratio",
    "Weighting": "weighting",
}
__all__ = [*_HOME]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"module 'taskweave.weighting' has no attribute {name!r}; it has {__all__}")
    return getattr(import_module(f"taskweave.weighting.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__


if TYPE_CHECKING:  # what is imported when asked for, for type checkers and editors
    from taskweave.weighting.dynamic_weight_average import DynamicWeightAverage as DynamicWeightAverage
    from taskweave.weighting.fixed import Fixed as Fixed
    from taskweave.weighting.geometric_mean import GeometricMean as GeometricMean
    from taskweave.weighting.gradient_aggregation import GradientAggregation as GradientAggregation
    from taskweave.weighting.loss_gate import LossGate as LossGate
    from taskweave.weighting.uncertainty import Uncertainty as Uncertainty
    from taskweave.weighting.variance_ratio import VarianceRatio as VarianceRatio
    from taskweave.weighting.weighting import GradientWeighting as GradientWeighting
    from taskweave.weighting.weighting import Weighting as Weighting
