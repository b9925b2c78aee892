"""What every task promises. A new task joins by one line in CASES."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from contracts import metric_contract as metrics
from tasks.ensembles import mean_prediction
from torch import Tensor

from taskweave.tasks import Depth, Normals, NormalsByCodebook, Segmentation, Task

SIZE = (6, 10)
CODES = F.normalize(torch.tensor([[0.0, 0, 1], [1, 0, 1], [-1, 0, 1], [0, 1, 1], [0, -1, 1]]), dim=1)


@dataclass(frozen=True)
class TaskCase:
    """A task, and what the suite must know to ask it questions.

    targets: (number of samples) -> targets, all labelled. perfect: targets -> the outputs, of the targets' size, that are
    right. hole: what a target holds where it is not labelled.
    """

    name: str
    make: Callable[[], Task]
    targets: Callable[[int], Tensor]
    perfect: Callable[[Tensor], Tensor]
    hole: float

    def random(self, samples: int) -> Tensor:
        return torch.randn(samples, self.make().channels, *SIZE)


def _labels(samples: int) -> Tensor:
    return torch.randint(0, 4, (samples, *SIZE))


def _metres(samples: int) -> Tensor:
    return 0.5 + 9.0 * torch.rand(samples, 1, *SIZE)


def _normals(samples: int) -> Tensor:
    return F.normalize(torch.randn(samples, 3, *SIZE), dim=1)


def _codes(samples: int) -> Tensor:
    return CODES[torch.randint(0, len(CODES), (samples, *SIZE))].movedim(-1, 1)


def _sure(labels: Tensor, classes: int) -> Tensor:
    return 100.0 * F.one_hot(labels, classes).movedim(-1, 1).float()


def _sure_codes(normals: Tensor) -> Tensor:
    return _sure((normals.movedim(1, -1) @ CODES.T).argmax(-1), len(CODES))


CASES = [
    TaskCase("segmentation", lambda: Segmentation(4, loss_resolution="eighth"), _labels, lambda y: _sure(y, 4), 255),
    TaskCase("segmentation, weighted",
             lambda: Segmentation(4, class_weights=[1, 2, 3, 4], ignore=-1, loss_resolution="full"),
             _labels, lambda y: _sure(y, 4), -1),
    TaskCase("segmentation, per image",
             lambda: Segmentation(["wall", "floor", "bed", "sofa"], miou="per_image", loss_resolution="eighth"),
             _labels, lambda y: _sure(y, 4), 255),
    TaskCase("segmentation, image mIoU", lambda: Segmentation(4, image_miou=True, loss_resolution="eighth"),
             _labels, lambda y: _sure(y, 4), 255),
    TaskCase("depth", lambda: Depth(loss_resolution="eighth"), _metres, lambda y: y.clone(), 0),
    TaskCase("normals, cosine", lambda: Normals(loss_resolution="eighth"), _normals, lambda y: 3.0 * y, 0),
    TaskCase("normals, l2, raw", lambda: Normals(loss="l2", angles="raw_uint8", loss_resolution="full"),
             _normals, lambda y: 3.0 * y, 0),
    TaskCase("normals by codebook", lambda: NormalsByCodebook(codebook=CODES, loss_resolution="eighth"),
             _codes, _sure_codes, 0),
]  # fmt: skip


def scores(task: Task, *batches: tuple[Tensor, Tensor]) -> dict[str, float]:
    """The metrics of (output, target) batches."""
    return metrics.scores(task, SIZE, *batches)


def with_holes(case: TaskCase, targets: Tensor) -> tuple[Tensor, Tensor]:
    """The targets with about half of the pixels unlabelled, and where those are (B, 1, H, W)."""
    holes = torch.rand(len(targets), 1, *SIZE) < 0.5
    return targets.masked_fill(holes if targets.ndim == 4 else holes[:, 0], case.hole), holes


def assert_names_every_metric(case: TaskCase) -> None:
    metrics.assert_names_every_metric(case.name, case.make(), SIZE, (case.random(2), case.targets(2)))


def assert_perfect_is_best(case: TaskCase) -> None:
    task, target = case.make(), case.targets(3)
    best = scores(task, (case.perfect(target), target))
    best_loss = task.loss(case.perfect(target), target)
    for _ in range(5):
        output = case.random(3)
        assert task.loss(output, target) > best_loss, f"{case.name}: a random output has a lower loss than the right one"
        metrics.assert_better(case.name, task, best, scores(task, (output, target)))


def assert_holes_change_nothing(case: TaskCase) -> None:
    task = case.make()
    target, holes = with_holes(case, case.targets(3))
    output = case.random(3)
    other = torch.where(holes, 50.0 * torch.randn_like(output), output)
    assert torch.equal(task.loss(output, target), task.loss(other, target)), f"{case.name}: holes change the loss"
    assert scores(task, (output, target)) == scores(task, (other, target)), f"{case.name}: holes change a metric"
    leaf = output.clone().requires_grad_()
    task.loss(leaf, target).backward()
    assert leaf.grad is not None
    assert not (leaf.grad * holes).any(), f"{case.name}: unlabelled pixels have a gradient"
    assert leaf.grad.any(), f"{case.name}: labelled pixels have no gradient"


def assert_batches_change_nothing(case: TaskCase) -> None:
    task = case.make()
    target, _ = with_holes(case, case.targets(5))
    target[3] = case.hole
    prediction = task.decode(case.random(5), SIZE)
    metrics.assert_batches_change_nothing(case.name, task, prediction, target)


def assert_shards_merge(case: TaskCase) -> None:
    """Metric states of two processes, merged by each state's own reduction, give the metric of all."""
    task = case.make()
    prediction, (target, _) = task.decode(case.random(5), SIZE), with_holes(case, case.targets(5))
    metrics.assert_shards_merge(case.name, task, prediction, target)


def assert_survives_no_labels(case: TaskCase) -> None:
    task = case.make()
    nothing = torch.full_like(case.targets(2), case.hole)
    for output in (case.random(2), torch.zeros(2, task.channels, *SIZE), torch.full((2, task.channels, *SIZE), torch.inf)):
        leaf = output.clone().requires_grad_()
        loss = task.loss(leaf, nothing)
        loss.backward()
        assert loss == 0, f"{case.name}: the loss is {loss} where nothing is labelled"
        assert leaf.grad is not None, f"{case.name}: the loss of no labels is not connected to the output"
        assert not leaf.grad.any(), f"{case.name}: a gradient where nothing is labelled"
    known = (case.random(2), case.targets(2))
    assert scores(task, known, (case.random(2), nothing)) == scores(task, known), f"{case.name}: no labels change a metric"


def assert_zero_output_learns(case: TaskCase) -> None:
    """A head that starts at zero gives a finite loss and finite gradients."""
    task = case.make()
    leaf = torch.zeros(2, task.channels, *SIZE, requires_grad=True)
    loss = task.loss(leaf, case.targets(2))
    loss.backward()
    assert leaf.grad is not None
    assert loss.isfinite() and leaf.grad.isfinite().all(), f"{case.name}: loss {loss} or gradients not finite"
    assert leaf.grad.any(), f"{case.name}: zero outputs have no gradient"


def assert_works_in_half_precision_and_alone(case: TaskCase) -> None:
    """bfloat16 outputs, one sample, another resolution: the loss is float32 and scalar, the prediction at its size."""
    task, target = case.make(), case.targets(1)
    output = torch.randn(1, task.channels, 3, 5).bfloat16()
    loss = task.loss(output, target)
    assert loss.shape == () and loss.dtype == torch.float32, f"{case.name}: loss {loss.dtype} of shape {tuple(loss.shape)}"
    assert loss.isfinite()
    prediction = task.decode(output, SIZE)
    assert prediction.shape == target.shape, f"{case.name}: a prediction of shape {tuple(prediction.shape)}"
    with torch.autocast("cpu", dtype=torch.bfloat16):
        again = task.decode(output, SIZE)
    assert torch.equal(again, prediction), f"{case.name}: autocast changes the prediction"


def assert_ensembles(case: TaskCase) -> None:
    task = case.make()
    one, two = case.random(2), case.random(2)
    alone = task.decode(one, SIZE)
    assert torch.allclose(mean_prediction(task, [one, one], SIZE), alone, atol=1e-6), f"{case.name}: twice itself differs"
    assert torch.equal(mean_prediction(task, [one, two], SIZE), mean_prediction(task, [two, one], SIZE)), (
        f"{case.name}: order matters"
    )
    soft = task.soft(one, SIZE)
    assert soft.shape[0] == 2 and tuple(soft.shape[-2:]) == SIZE, f"{case.name}: soft prediction {tuple(soft.shape)}"
    again = task.harden(task.soft(case.perfect(case.targets(2)), SIZE))
    assert again.dtype == alone.dtype and again.shape == alone.shape


def assert_draws(case: TaskCase) -> None:
    task = case.make()
    target, _ = with_holes(case, case.targets(1))
    for value in (target[0], task.decode(case.random(1), SIZE)[0]):
        picture = task.picture(value)
        assert picture.dtype == torch.uint8, f"{case.name}: a picture is uint8, got {picture.dtype}"
        assert tuple(picture.shape) == (3, *SIZE), f"{case.name}: a picture is (3, H, W), got {tuple(picture.shape)}"
    empty = task.picture(torch.full_like(target[0], case.hole))
    assert not empty.any(), f"{case.name}: what is not labelled is drawn black"
    assert task.picture(case.targets(1)[0]).any(), f"{case.name}: labels are not drawn black"


def assert_refuses_wrong_shapes(case: TaskCase) -> None:
    task, target = case.make(), case.targets(2)
    channels = task.channels
    for output, label in (
        (torch.zeros(2, channels + 1, *SIZE), target),
        (torch.zeros(channels, *SIZE), target),
        (torch.zeros(3, channels, *SIZE), target),
        (case.random(2), target[..., 0]),
    ):
        with pytest.raises(ValueError, match=r"expects .*got \(") as caught:
            task.loss(output, label)
        assert ";" in str(caught.value), f"{case.name}: the message does not say what to do: {caught.value}"
    with pytest.raises(ValueError, match=r"expects .*got \("):
        task.metric().update(task.decode(case.random(2), (3, 3)), target)


def assert_pickles(case: TaskCase) -> None:
    task = case.make()
    again = pickle.loads(pickle.dumps(task))
    output, target = case.random(2), case.targets(2)
    assert torch.equal(again.loss(output, target), task.loss(output, target)), f"{case.name}: a pickled task is another"


CHECKS = [
    assert_names_every_metric,
    assert_perfect_is_best,
    assert_holes_change_nothing,
    assert_batches_change_nothing,
    assert_shards_merge,
    assert_survives_no_labels,
    assert_zero_output_learns,
    assert_works_in_half_precision_and_alone,
    assert_ensembles,
    assert_draws,
    assert_refuses_wrong_shapes,
    assert_pickles,
]
