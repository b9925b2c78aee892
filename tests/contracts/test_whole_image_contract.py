"""Every task with one answer per image keeps the contract; and every check of it catches a task that does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import torch
from contracts import whole_image_contract as contract
from contracts.toy_metrics import BatchMeans, Errors, LastBatch, Unmerged
from contracts.whole_image_contract import WHOLE_CASES, WHOLE_CHECKS, WholeCase
from torch import Tensor
from torchmetrics import Metric

from taskweave.tasks import Task


@pytest.mark.parametrize("check", WHOLE_CHECKS, ids=lambda check: check.__name__.removeprefix("assert_"))
@pytest.mark.parametrize("case", WHOLE_CASES, ids=lambda case: case.name)
def test_contract(case: WholeCase, check: Callable[[WholeCase], None]) -> None:
    torch.manual_seed(0)
    check(case)


class Toy(Task):
    """A right and minimal task: a number above 1."""

    directions: ClassVar[Any] = {"error": "lower"}
    channels = 1

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        if output.shape[1:] != (1,) or len(output) != len(target) or (target < 1).any():
            raise ValueError(f"Toy expects (B, 1), got {tuple(output.shape)} and {target.tolist()}; build it so")
        error = (output.float()[:, 0] - target).abs()
        return error.mean() if len(error) else error.sum()

    def soft(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        return output[:, 0].float()

    def harden(self, soft: Tensor) -> Tensor:
        return soft

    def metric(self) -> Metric:
        return Errors()

    def picture(self, value: Tensor) -> Tensor:
        return torch.full((3, *contract.SIZE), int(100 + value), dtype=torch.uint8)


class OtherNames(Toy):
    directions: ClassVar[Any] = {"errors": "lower"}


class WrongWay(Toy):
    directions: ClassVar[Any] = {"error": "higher"}


class TakesAll(Toy):
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return output.float().mean()


class LastBatchTask(Toy):
    def metric(self) -> Metric:
        return LastBatch()


class BatchMeanTask(Toy):
    def metric(self) -> Metric:
        return BatchMeans()


class UnmergedTask(Toy):
    def metric(self) -> Metric:
        return Unmerged()


class AddsUpSilently(Toy):
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return super().loss(output, target) * len(target)


class NaNWithoutLabels(Toy):
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return (output.float()[:, 0] - target).abs().mean()


class DeadAtZero(Toy):
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return super().loss(output.square(), target)


class InHalfPrecision(Toy):
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return output.mean()


class GreyFloat(Toy):
    def picture(self, value: Tensor) -> Tensor:
        return torch.full((3, *contract.SIZE), 1.0)


class IntoTheImage(Toy):
    def over(self, image: Tensor, value: Any) -> Tensor:
        return image.fill_(7)


class Forgetful(Toy):
    def __init__(self) -> None:
        self.scale = 1.0

    def __getstate__(self) -> dict[str, float]:
        return {"scale": 2.0}

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return self.scale * super().loss(output, target)


class Restless(Toy):
    """Every reading of an output is another."""

    def harden(self, soft: Tensor) -> Tensor:
        return soft + torch.rand(())


def _case(make: Callable[[], Task]) -> WholeCase:
    bad = {"0.5": torch.tensor([0.5])}
    return WholeCase("toy", make, lambda n: 1.0 + torch.rand(n), lambda y: y[:, None].clone(), bad)


@pytest.mark.parametrize("check", WHOLE_CHECKS, ids=lambda check: check.__name__)
def test_a_right_toy_keeps_the_contract(check: Callable[[WholeCase], None]) -> None:
    check(_case(Toy))


BROKEN = [
    (contract.assert_names_every_metric, OtherNames, "directions"),
    (contract.assert_perfect_is_best, WrongWay, "for the right output"),
    (contract.assert_perfect_is_best, TakesAll, "lower loss"),
    (contract.assert_batches_change_nothing, LastBatchTask, "change a metric"),
    (contract.assert_batches_change_nothing, BatchMeanTask, "change a metric"),
    (contract.assert_shards_merge, UnmergedTask, "merged shards"),
    (contract.assert_parts_average_to_the_whole, AddsUpSilently, "parts average"),
    (contract.assert_survives_no_labels, NaNWithoutLabels, "nothing is labelled"),
    (contract.assert_zero_output_learns, DeadAtZero, "no gradient"),
    (contract.assert_works_in_half_precision_and_alone, InHalfPrecision, "bfloat16"),
    (contract.assert_ensembles, Restless, "twice itself"),
    (contract.assert_draws, GreyFloat, "uint8"),
    (contract.assert_draws, IntoTheImage, "into the image itself"),
    (contract.assert_pickles, Forgetful, "pickled"),
]


@pytest.mark.parametrize(("check", "task", "message"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_every_check_can_fail(check: Callable[[WholeCase], None], task: Callable[[], Task], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check(_case(task))


def test_the_check_of_refusals_can_fail() -> None:
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        contract.assert_refuses_what_cannot_be(_case(TakesAll))


def test_every_check_is_shown_to_fail() -> None:
    shown = {check for check, _, _ in BROKEN} | {contract.assert_refuses_what_cannot_be}
    assert shown == set(WHOLE_CHECKS)
