"""Every task keeps the contract; and every check of the contract catches a task that does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import torch
from contracts import task_contract as contract
from contracts.task_contract import CASES, CHECKS, TaskCase
from contracts.toy_metrics import BatchMeans, Errors, Unmerged, WithHoles
from torch import Tensor
from torchmetrics import Metric

from taskweave.tasks import Task


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("assert_"))
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_contract(case: TaskCase, check: Callable[[TaskCase], None]) -> None:
    check(case)


class Toy(Task):
    """A right and minimal task: a positive number for each pixel, at the label's own size."""

    directions: ClassVar[Any] = {"error": "lower"}
    channels = 1

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        if output.shape[1:2] != (1,) or output.ndim != 4 or target.ndim != 4 or len(target) != len(output):
            raise ValueError(f"Toy expects (B, 1, H, W), got {tuple(output.shape)}; build it so")
        output = torch.nn.functional.interpolate(output.float(), size=target.shape[-2:])
        error = (output - target)[target > 0].abs()
        return error.mean() if len(error) else error.sum()

    def soft(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        return torch.nn.functional.interpolate(output.float(), size=size)

    def harden(self, soft: Tensor) -> Tensor:
        return soft

    def metric(self) -> Metric:
        return Errors()

    def picture(self, value: Tensor) -> Tensor:
        return ((value > 0) * 255).to(torch.uint8).expand(3, -1, -1)


class OtherNames(Toy):
    directions: ClassVar[Any] = {"errors": "lower"}


class WrongWay(Toy):
    directions: ClassVar[Any] = {"error": "higher"}


class HolesInLoss(Toy):
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target).abs().mean()


class HolesInMetric(Toy):
    def metric(self) -> Metric:
        return WithHoles()


class BatchMeanTask(Toy):
    def metric(self) -> Metric:
        return BatchMeans()


class UnmergedTask(Toy):
    def metric(self) -> Metric:
        return Unmerged()


class NaNWithoutLabels(Toy):
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target)[target > 0].abs().mean()


class Disconnected(Toy):
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return super().loss(output, target) if (target > 0).any() else torch.zeros((), requires_grad=True)


class DeadAtZero(Toy):
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return (output.square() - target)[target > 0].abs().mean()


class ExplodesAtZero(Toy):
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return (output.abs().sqrt() - target)[target > 0].abs().mean()


class InHalfPrecision(Toy):
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return torch.nn.functional.interpolate(output, size=target.shape[-2:]).mean()


class AtOwnSize(Toy):
    def soft(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        return output.float()


class FirstOnly(Toy):
    """Hardening is not the same for a mean as for one."""

    def soft(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        return Weird(super().soft(output, size))  # type: ignore[return-value]

    def harden(self, soft: Any) -> Tensor:
        return soft.value if isinstance(soft, Weird) else soft


class Weird:
    """A soft prediction whose mean is its first member."""

    def __init__(self, value: Tensor) -> None:
        self.value = value

    def __add__(self, other: Weird) -> Weird:
        return self

    def __truediv__(self, count: int) -> Weird:
        return self


class GreyFloat(Toy):
    def picture(self, value: Tensor) -> Tensor:
        return value.float().expand(3, -1, -1)


class WhiteHoles(Toy):
    def picture(self, value: Tensor) -> Tensor:
        return torch.full((3, *value.shape[-2:]), 255, dtype=torch.uint8)


class TakesAll(Toy):
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return output.mean()


class Forgetful(Toy):
    def __init__(self) -> None:
        self.scale = 1.0

    def __getstate__(self) -> dict[str, float]:
        return {"scale": 2.0}

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return self.scale * super().loss(output, target)


def _case(make: Callable[[], Task]) -> TaskCase:
    return TaskCase("toy", make, lambda n: 1.0 + torch.rand(n, 1, *contract.SIZE), lambda y: y.clone(), 0)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_right_toy_keeps_the_contract(check: Callable[[TaskCase], None]) -> None:
    check(_case(Toy))


BROKEN = [
    (contract.assert_names_every_metric, OtherNames, "directions"),
    (contract.assert_perfect_is_best, WrongWay, "for the right output"),
    (contract.assert_perfect_is_best, TakesAll, "lower loss"),
    (contract.assert_holes_change_nothing, HolesInLoss, "change the loss"),
    (contract.assert_holes_change_nothing, HolesInMetric, "change a metric"),
    (contract.assert_batches_change_nothing, BatchMeanTask, "change a metric"),
    (contract.assert_shards_merge, UnmergedTask, "merged shards"),
    (contract.assert_survives_no_labels, NaNWithoutLabels, "nothing is labelled"),
    (contract.assert_survives_no_labels, Disconnected, "not connected"),
    (contract.assert_survives_no_labels, HolesInMetric, "no labels change"),
    (contract.assert_zero_output_learns, DeadAtZero, "no gradient"),
    (contract.assert_zero_output_learns, ExplodesAtZero, "not finite"),
    (contract.assert_works_in_half_precision_and_alone, InHalfPrecision, "bfloat16"),
    (contract.assert_works_in_half_precision_and_alone, AtOwnSize, "prediction"),
    (contract.assert_ensembles, FirstOnly, "order matters"),
    (contract.assert_draws, GreyFloat, "uint8"),
    (contract.assert_draws, WhiteHoles, "black"),
    (contract.assert_pickles, Forgetful, "pickled"),
]


@pytest.mark.parametrize(("check", "task", "message"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_every_check_can_fail(check: Callable[[TaskCase], None], task: Callable[[], Task], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check(_case(task))


def test_the_check_of_shapes_can_fail() -> None:
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        contract.assert_refuses_wrong_shapes(_case(TakesAll))


def test_every_check_is_shown_to_fail() -> None:
    shown = {check for check, _, _ in BROKEN} | {contract.assert_refuses_wrong_shapes}
    assert shown == set(CHECKS)
