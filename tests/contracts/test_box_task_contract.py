"""Every task with boxes keeps the contract; and every check of the contract catches one that does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from contracts import box_task_contract as contract
from contracts.box_task_cases import ATTRIBUTES, BOX_CASES, SIZE, BoxCase, Labelled
from contracts.box_task_contract import BOX_CHECKS
from torch import Tensor
from torchmetrics import Metric

from taskweave.tasks import Attributes, Task


@pytest.mark.parametrize("check", BOX_CHECKS, ids=lambda check: check.__name__.removeprefix("assert_"))
@pytest.mark.parametrize("case", BOX_CASES, ids=lambda case: case.name)
def test_contract(case: BoxCase, check: Callable[[BoxCase], None]) -> None:
    check(case)


class Other(Task):
    """Attributes, but for what a test spoils."""

    def __init__(self) -> None:
        self.own = Attributes(ATTRIBUTES)

    directions = Attributes(ATTRIBUTES).directions
    channels = ATTRIBUTES

    def loss(self, output: Any, target: Any) -> Tensor:
        return self.own.loss(output, target)

    def label_count(self, output: Any, target: Any) -> Tensor | float:
        return self.own.label_count(output, target)

    def soft(self, output: Any, size: tuple[int, int]) -> Any:
        return self.own.soft(output, size)

    def harden(self, soft: Any) -> Any:
        return self.own.harden(soft)

    def metric(self) -> Metric:
        return self.own.metric()

    def picture(self, value: Any) -> Tensor:
        return self.own.picture(value)


class OtherNames(Other):
    directions = {"AP": "higher"}  # noqa: RUF012


class WrongWay(Other):
    directions = {"mAP": "lower"}  # noqa: RUF012


class TakesAll(Other):
    def loss(self, output: Any, target: Any) -> Tensor:
        return output.logits.float().square().mean()


class UnequalParts(Other):
    """Its loss divides by values, its count is of regions."""

    def loss(self, output: Any, target: Any) -> Tensor:
        values = torch.cat([part["values"] for part in target])
        return (output.logits - values)[~values.isnan()].square().mean()

    def label_count(self, output: Any, target: Any) -> float:
        return float(len(target))


class NaNWithoutLabels(Other):
    def loss(self, output: Any, target: Any) -> Tensor:
        values = torch.cat([part["values"] for part in target])
        return (output.logits - values)[~values.isnan()].abs().mean()


class Disconnected(Other):
    def loss(self, output: Any, target: Any) -> Tensor:
        loss = self.own.loss(output, target)
        return loss if loss != 0 else torch.zeros((), requires_grad=True)


class InHalfPrecision(Other):
    def loss(self, output: Any, target: Any) -> Tensor:
        return output.logits.mean()


class Means(Metric):
    """Averages of batches, and of processes: wrong."""

    full_state_update = False

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.zeros(()), dist_reduce_fx="max")
        self.add_state("count", torch.zeros(()), dist_reduce_fx="max")

    def update(self, prediction: Any, target: Any) -> None:
        self.total += torch.cat([part["scores"].flatten() for part in prediction]).square().sum().sqrt()
        self.count += 1

    def compute(self) -> dict[str, Tensor]:
        return {"mAP": self.total / self.count}


class MeanOfMeans(Other):
    def metric(self) -> Metric:
        return Means()


class First:
    """A soft prediction whose mean is its first member."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __add__(self, other: First) -> First:
        return self

    def __truediv__(self, count: int) -> First:
        return self


class FirstOnly(Other):
    def soft(self, output: Any, size: tuple[int, int]) -> Any:
        return First(super().soft(output, size))

    def harden(self, soft: Any) -> Any:
        return super().harden(soft.value)


class AllWhite(Other):
    def picture(self, value: Any) -> Tensor:
        return torch.full((3, *SIZE), 255, dtype=torch.uint8)


class Forgetful(Other):
    def __init__(self) -> None:
        super().__init__()
        self.scale = 1.0

    def __getstate__(self) -> dict[str, Any]:
        return {"own": self.own, "scale": 2.0}

    def loss(self, output: Any, target: Any) -> Tensor:
        return self.scale * super().loss(output, target)


def _case(make: Callable[[], Task]) -> BoxCase:
    return replace(next(case for case in BOX_CASES if case.name == "attributes"), make=make)


@pytest.mark.parametrize("check", BOX_CHECKS, ids=lambda check: check.__name__)
def test_a_right_one_keeps_the_contract(check: Callable[[BoxCase], None]) -> None:
    check(_case(Other))


BROKEN = [
    (contract.assert_names_every_metric, OtherNames, "directions"),
    (contract.assert_perfect_is_best, WrongWay, "for the right output"),
    (contract.assert_perfect_is_best, TakesAll, "lower loss"),
    (contract.assert_batches_change_nothing, MeanOfMeans, "change a metric"),
    (contract.assert_shards_merge, MeanOfMeans, "merged shards"),
    (contract.assert_parts_average_to_the_whole, UnequalParts, "parts average to"),
    (contract.assert_survives_no_labels, NaNWithoutLabels, "nothing is labelled"),
    (contract.assert_survives_no_labels, Disconnected, "not connected"),
    (contract.assert_zero_output_learns, TakesAll, "no gradient"),
    (contract.assert_works_in_half_precision_and_alone, InHalfPrecision, "bfloat16"),
    (contract.assert_ensembles, FirstOnly, "order matters"),
    (contract.assert_draws, AllWhite, "black"),
    (contract.assert_pickles, Forgetful, "pickled"),
]


@pytest.mark.parametrize(("check", "task", "message"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_every_check_can_fail(check: Callable[[BoxCase], None], task: Callable[[], Task], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check(_case(task))


def test_the_check_of_targets_can_fail() -> None:
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        contract.assert_refuses_other_targets(_case(TakesAll))


def test_every_check_is_shown_to_fail() -> None:
    shown = {check for check, _, _ in BROKEN} | {contract.assert_refuses_other_targets}
    assert shown == set(BOX_CHECKS)


def test_the_helper_tells_predictions_apart() -> None:
    one = [{"boxes": torch.zeros(2, 4), "scores": torch.ones(2)}]
    assert contract.same(one, [{name: value.clone() for name, value in one[0].items()}])
    assert not contract.same(one, [{**one[0], "scores": torch.full((2,), 0.9)}])
    assert not contract.same(one, [{"boxes": torch.zeros(1, 4), "scores": torch.ones(1)}])
    assert not contract.same(one, [])
    assert isinstance(BOX_CASES[0].images(1), Labelled)
