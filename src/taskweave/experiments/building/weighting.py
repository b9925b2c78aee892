"""From weighting choices to weightings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, assert_never

from taskweave.experiments.choices import weighting as choices
from taskweave.experiments.choices.detection import DetectionTask
from taskweave.experiments.choices.task import DepthTask, NormalsTask, OneTask
from taskweave.weighting.dynamic_weight_average import DynamicWeightAverage
from taskweave.weighting.fixed import Fixed
from taskweave.weighting.geometric_mean import GeometricMean
from taskweave.weighting.gradient_aggregation import GradientAggregation
from taskweave.weighting.loss_gate import LossGate
from taskweave.weighting.uncertainty import Form, Uncertainty
from taskweave.weighting.variance_ratio import VarianceRatio
from taskweave.weighting.weighting import Weighting

if TYPE_CHECKING:
    from torchjd.aggregation import Aggregator

MISSING = "needs TorchJD and its solvers: pip install taskweave[aggregation]"


def build_weighting(choice: choices.WeightingChoice, tasks: Mapping[str, OneTask]) -> Weighting:
    """A fresh one for the tasks that a network is trained for. Raises ImportError for aggregation without its extra."""
    built = _weighting(choice, tasks)
    below = {name: value for name, value in choice.drop_below.items() if name in tasks}
    return LossGate(built, below) if below else built


def _weighting(choice: choices.WeightingChoice, tasks: Mapping[str, OneTask]) -> Weighting:
    names = list(tasks)
    match choice:
        case choices.FixedWeights():
            return Fixed({name: choice.weights.get(name, 1.0) for name in names})
        case choices.DynamicWeightAverage():
            given = {name: weight for name, weight in choice.pre_weights.items() if name in tasks}
            return DynamicWeightAverage(names, temperature=choice.temperature, pre_weights=given, every=choice.every)
        case choices.Uncertainty():
            forms = {name: _form(task, choice) for name, task in tasks.items()}
            return Uncertainty(forms, initial=choice.initial, learning_rate=choice.learning_rate)
        case choices.GeometricMean():
            return GeometricMean(names)
        case choices.VarianceRatio():
            return VarianceRatio(
                names,
                learning_rate=choice.learning_rate,
                window=choice.window,
                variance_of=choice.variance_of,
                eps=choice.eps,
                floor=choice.floor,
                optimizer=choice.optimizer,
                literal=choice.literal,
            )
        case choices.GradientAggregation():
            return GradientAggregation(names, _aggregator(choice, names), over=choice.over)
        case _:
            assert_never(choice)


def _form(task: OneTask, choice: choices.Uncertainty) -> Form:
    regresses = isinstance(task, DepthTask | DetectionTask) or (isinstance(task, NormalsTask) and task.loss != "codebook")
    return "regression" if choice.forms == "regression" or regresses else "classification"


def _aggregator(choice: choices.GradientAggregation, tasks: Sequence[str]) -> Aggregator:
    try:
        from torchjd import aggregation
    except ImportError as error:
        raise ImportError(f"the weighting {choice.title!r} {MISSING}") from error
    plain = {
        "upgrad": aggregation.UPGrad,
        "mgda": aggregation.MGDA,
        "pcgrad": aggregation.PCGrad,
        "imtl_g": aggregation.IMTLG,
        "aligned_mtl": aggregation.AlignedMTL,
        "dualproj": aggregation.DualProj,
        "config": aggregation.ConFIG,
        "graddrop": aggregation.GradDrop,
        "mean": aggregation.Mean,
        "sum": aggregation.Sum,
    }
    try:
        match choice.aggregator:
            case "cagrad":
                return aggregation.CAGrad(c=choice.cagrad_c)
            case "fairgrad":
                return aggregation.FairGrad(alpha=choice.fairgrad_alpha)
            case "gradvac":
                return aggregation.GradVac(beta=choice.gradvac_beta)
            case "nash_mtl":
                return aggregation.NashMTL(n_tasks=len(tasks), max_norm=choice.nash_mtl_max_norm)
            case _:
                made: Aggregator = plain[choice.aggregator]()
                return made
    except ImportError as error:  # TorchJD is there, a solver is not
        raise ImportError(f"the weighting {choice.title!r} {MISSING} ({error})") from error
