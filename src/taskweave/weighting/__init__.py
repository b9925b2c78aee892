"""{task: loss} -> one loss, or {task: gradient} -> one gradient: the contract, and one file per method."""

from taskweave.weighting.dynamic_weight_average import DynamicWeightAverage
from taskweave.weighting.fixed import Fixed
from taskweave.weighting.geometric_mean import GeometricMean
from taskweave.weighting.gradient_aggregation import GradientAggregation
from taskweave.weighting.loss_gate import LossGate
from taskweave.weighting.uncertainty import Uncertainty
from taskweave.weighting.variance_ratio import VarianceRatio
from taskweave.weighting.weighting import GradientWeighting, Weighting

__all__ = [
    "DynamicWeightAverage",
    "Fixed",
    "GeometricMean",
    "GradientAggregation",
    "GradientWeighting",
    "LossGate",
    "Uncertainty",
    "VarianceRatio",
    "Weighting",
]
