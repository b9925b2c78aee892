"""Every weighting against the weighting contract, and every assertion of that contract shown to fail."""

from collections.abc import Callable, Mapping, Sequence

import pytest
import torch
from contracts.weighting_contract import (
    WeightingCase,
    assert_a_constant_zero_loss_is_harmless,
    assert_adapts,
    assert_forward_changes_nothing,
    assert_known_by_its_options,
    assert_missing_tasks_are_allowed,
    assert_one_task_is_that_loss,
    assert_refuses,
    assert_state_survives_a_checkpoint,
    assert_weights_are_the_factors,
    assert_weights_stay_finite_and_positive,
)
from torch import Tensor
from torchjd import aggregation
from training import toys

from taskweave.parts import part
from taskweave.weighting import (
    DynamicWeightAverage,
    Fixed,
    GeometricMean,
    GradientAggregation,
    LossGate,
    Uncertainty,
    VarianceRatio,
    Weighting,
)


def uncertainty(tasks: Sequence[str]) -> Weighting:
    forms = (toys.Form(True), toys.Form(False), toys.Form(True))
    return Uncertainty(dict(zip(tasks, forms, strict=False)))


def aggregated(build: Callable[[], aggregation.Aggregator]) -> Callable[[Sequence[str]], Weighting]:
    return lambda tasks: GradientAggregation.of(tasks, build())


def gated(tasks: Sequence[str]) -> Weighting:
    """Per iteration, as the pet paper's code; b is the task whose loss the contract sets to 0."""
    within = part(DynamicWeightAverage, every="iteration")
    return LossGate(tasks, below={task: 0.2 for task in tasks if task == "b"}, weighting=within)


CASES = [
    WeightingCase("fixed", lambda tasks: Fixed(tasks), adapts=False),
    WeightingCase("fixed, not 1", lambda tasks: Fixed(tasks, weights=dict.fromkeys(tasks, 0.3)), adapts=False, alone=False),
    WeightingCase("dwa", DynamicWeightAverage),
    WeightingCase("dwa per iteration", lambda tasks: DynamicWeightAverage(tasks, every="iteration")),
    WeightingCase("dwa per iteration, small losses dropped", gated),
    WeightingCase("uncertainty", uncertainty, alone=False),
    WeightingCase("geometric mean", GeometricMean),
    WeightingCase("variance ratio", lambda tasks: VarianceRatio(tasks, window=2)),
    WeightingCase("variance ratio of epochs", lambda tasks: VarianceRatio(tasks, window=2, variance_of="epochs")),
    WeightingCase("UPGrad", aggregated(aggregation.UPGrad)),
    WeightingCase("MGDA", aggregated(aggregation.MGDA), positive=False),
    WeightingCase("PCGrad", aggregated(aggregation.PCGrad)),
    WeightingCase("CAGrad", aggregated(lambda: aggregation.CAGrad(c=0.4)), positive=False, patience=4),
    WeightingCase("Nash-MTL", aggregated(lambda: aggregation.NashMTL(n_tasks=3)), patience=2),
    WeightingCase("IMTL-G", aggregated(aggregation.IMTLG), positive=False),
    WeightingCase("Aligned-MTL", aggregated(aggregation.AlignedMTL), positive=False),
    WeightingCase("GradVac", aggregated(aggregation.GradVac)),
    WeightingCase("ConFIG", aggregated(aggregation.ConFIG), weighs=False),
    WeightingCase("mean", aggregated(aggregation.Mean), adapts=False),
]
every_weighting = pytest.mark.parametrize("case", CASES, ids=str)


@every_weighting
def test_state_survives_a_checkpoint(case: WeightingCase) -> None:
    assert_state_survives_a_checkpoint(case)


@every_weighting
def test_adapts(case: WeightingCase) -> None:
    assert_adapts(case)


@every_weighting
def test_missing_tasks_are_allowed(case: WeightingCase) -> None:
    assert_missing_tasks_are_allowed(case)


@every_weighting
def test_one_task_is_that_loss(case: WeightingCase) -> None:
    assert_one_task_is_that_loss(case)


@every_weighting
def test_weights_stay_finite_and_positive(case: WeightingCase) -> None:
    assert_weights_stay_finite_and_positive(case)


@pytest.mark.parametrize("case", [case for case in CASES if case.weighs], ids=str)
def test_weights_are_the_factors(case: WeightingCase) -> None:
    assert_weights_are_the_factors(case)


@every_weighting
def test_a_constant_zero_loss_is_harmless(case: WeightingCase) -> None:
    assert_a_constant_zero_loss_is_harmless(case)


@every_weighting
def test_forward_changes_nothing(case: WeightingCase) -> None:
    assert_forward_changes_nothing(case)


@every_weighting
def test_refuses(case: WeightingCase) -> None:
    assert_refuses(case)


@every_weighting
def test_known_by_its_options(case: WeightingCase) -> None:
    assert_known_by_its_options(case)


# Every assertion fails on a weighting that breaks its promise.


class Broken(Weighting):
    """Weights by the last losses; `remembers` decides whether a checkpoint knows them."""

    remembers = True

    def __init__(self, tasks: Sequence[str]) -> None:
        super().__init__(tasks)
        self.last = dict.fromkeys(tasks, 1.0)

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        self.check_losses(losses)
        return sum((self.weights()[t] * loss for t, loss in losses.items()), torch.zeros(()))

    def weights(self) -> dict[str, float]:
        return dict(self.last)

    def observe(self, losses: Mapping[str, float]) -> None:
        self.last |= losses

    def get_extra_state(self) -> dict[str, float]:
        return dict(self.last) if self.remembers else {}

    def set_extra_state(self, state: Mapping[str, float]) -> None:
        self.last |= state


class Forgets(Broken):
    remembers = False


class NeedsAll(Broken):
    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        return super().forward({task: losses[task] for task in self.tasks})


class Inverse(Broken):
    """1 / L: infinite for a loss of 0, and told of the wrong task."""

    def observe(self, losses: Mapping[str, float]) -> None:
        for task, loss in losses.items():
            self.last[task] = 1.0 / loss if loss else float("inf")


class Lies(Broken):
    def weights(self) -> dict[str, float]:
        return dict.fromkeys(self.tasks, 0.123)

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        return 5.0 * sum(losses.values(), torch.zeros(()))


class Counts(Broken):
    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        self.last = {task: weight + 1.0 for task, weight in self.last.items()}
        return super().forward(losses)


class TakesAnything(Broken):
    def check_losses(self, losses: object) -> None: ...


class Unknown(Broken):
    def determining(self) -> dict[str, object]:
        return {"last": dict(self.last)}


FAILURES = {
    "a state that is lost": lambda: assert_state_survives_a_checkpoint(WeightingCase("", Forgets)),
    "weights that stay": lambda: assert_adapts(WeightingCase("", lambda tasks: Fixed(tasks))),
    "weights that move": lambda: assert_adapts(WeightingCase("", Broken, adapts=False)),
    "a missing task": lambda: assert_missing_tasks_are_allowed(WeightingCase("", NeedsAll)),
    "one task is weighed": lambda: assert_one_task_is_that_loss(WeightingCase("", Broken)),
    "one task is not weighed": lambda: assert_one_task_is_that_loss(
        WeightingCase("", lambda tasks: Fixed(tasks), alone=False)
    ),
    "weights not above 0": lambda: assert_weights_stay_finite_and_positive(
        WeightingCase("", lambda tasks: Fixed(tasks, weights=dict.fromkeys(tasks, 0.0)))
    ),
    "no weights": lambda: assert_weights_stay_finite_and_positive(WeightingCase("", Broken, weighs=False)),
    "weights told wrong": lambda: assert_weights_are_the_factors(WeightingCase("", Lies)),
    "an infinite weight": lambda: assert_a_constant_zero_loss_is_harmless(WeightingCase("", Inverse)),
    "a forward pass that counts": lambda: assert_forward_changes_nothing(WeightingCase("", Counts)),
    "what it cannot is not refused": lambda: assert_refuses(WeightingCase("", TakesAnything)),
    "known by what it saw": lambda: assert_known_by_its_options(WeightingCase("", Unknown)),
}


@pytest.mark.parametrize("check", FAILURES.values(), ids=FAILURES)
def test_every_assertion_can_fail(check: Callable[[], None]) -> None:
    with pytest.raises((AssertionError, KeyError, pytest.fail.Exception)):
        check()
