"""{task: loss} -> one loss, or {task: gradient} -> one gradient: the contract, and one file per method."""

from typing import TYPE_CHECKING

from taskweave.lazy import lazy_names

if TYPE_CHECKING:
    from taskweave.weighting.dynamic_weight_average import DynamicWeightAverage as DynamicWeightAverage
    from taskweave.weighting.geometric_mean import GeometricMean as GeometricMean
    from taskweave.weighting.gradient_aggregation import GradientAggregation as GradientAggregation
    from taskweave.weighting.loss_gate import LossGate as LossGate
    from taskweave.weighting.uncertainty import Uncertainty as Uncertainty
    from taskweave.weighting.variance_ratio import VarianceRatio as VarianceRatio
    from taskweave.weighting.weighting import Fixed as Fixed, GradientWeighting as GradientWeighting, Weighting as Weighting
else:
    __getattr__, __dir__, __all__ = lazy_names(__name__, __file__)
