"""What every task with one answer per image promises. A new one joins by one line in WHOLE_CASES."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from contracts import metric_contract as metrics
from tasks.ensembles import mean_prediction
from torch import Tensor

from taskweave.tasks import Age, BoxRegression, Classification, Task

SIZE = (40, 60)
SIDES = torch.tensor([60.0, 40.0, 60.0, 40.0])


@dataclass(frozen=True)
class WholeCase:
    """A task, and what the suite must know to ask it questions.

    targets: (number of images) -> their targets.  perfect: targets -> the outputs that are right.
    bad: targets of one image that must be refused, by what the message says of each.
    """

    name: str
    make: Callable[[], Task]
    targets: Callable[[int], Any]
    perfect: Callable[[Any], Tensor]
    bad: dict[str, Any]

    def random(self, images: int) -> Tensor:
        return torch.rand(images, self.make().channels)


def _boxes(images: int) -> list[dict[str, Tensor]]:
    low = torch.rand(images, 1, 2) * 0.5
    high = low + 0.1 + torch.rand(images, 1, 2) * 0.4
    return [_target(box) for box in torch.cat([low, high], -1) * SIDES]


def _target(box: Tensor) -> dict[str, Tensor]:
    return {"boxes": box, "size": torch.tensor(SIZE)}


def _box(*numbers: float) -> list[dict[str, Tensor]]:
    return [_target(torch.tensor([numbers]))]


def _corners(targets: Sequence[dict[str, Tensor]]) -> Tensor:
    return torch.cat([target["boxes"] for target in targets])


def _sure(numbers: Tensor, classes: int) -> Tensor:
    return 100.0 * F.one_hot(numbers, classes).float()


NO_BOX = {"nan": _box(1.0, torch.nan, 5.0, 6.0), "9.0": _box(9.0, 2.0, 5.0, 6.0), "1.5": _box(3.0, 2.0, 90.0, 6.0)}
WHOLE_CASES = [
    WholeCase("classification", lambda: Classification(5), lambda n: torch.randint(0, 5, (n,)), lambda y: _sure(y, 5),
              {"label 5": torch.tensor([5]), "label -1": torch.tensor([-1]), "float32": torch.tensor([1.0])}),
    WholeCase("age", Age, lambda n: torch.randint(0, 100, (n,)), lambda y: _sure(y, 100),
              {"age 100": torch.tensor([100]), "age -1": torch.tensor([-1]), "age nan": torch.tensor([torch.nan])}),
    WholeCase("box, relative", BoxRegression, _boxes, lambda y: _corners(y) / SIDES, NO_BOX),
    WholeCase("box, pixels, as printed", lambda: BoxRegression(loss="diou_as_printed", unit="pixels"), _boxes, _corners,
              {key: NO_BOX[key] for key in ("nan", "9.0")}),
]  # fmt: skip


def scores(task: Task, *batches: tuple[Tensor, Any]) -> dict[str, float]:
    """The metrics of (output, targets) batches."""
    return metrics.scores(task, SIZE, *batches)


def assert_names_every_metric(case: WholeCase) -> None:
    metrics.assert_names_every_metric(case.name, case.make(), SIZE, (case.random(2), case.targets(2)))


def assert_perfect_is_best(case: WholeCase) -> None:
    task, target = case.make(), case.targets(9)
    best = scores(task, (case.perfect(target), target))
    least = task.loss(case.perfect(target), target)
    for _ in range(5):
        output = case.random(9)
        assert task.loss(output, target) > least, f"{case.name}: a random output has a lower loss than the right one"
        metrics.assert_better(case.name, task, best, scores(task, (output, target)))


def assert_batches_change_nothing(case: WholeCase) -> None:
    task, target = case.make(), case.targets(5)
    prediction = task.decode(case.random(5), SIZE)
    metrics.assert_batches_change_nothing(case.name, task, prediction, target)


def assert_shards_merge(case: WholeCase) -> None:
    task, target = case.make(), case.targets(5)
    prediction = task.decode(case.random(5), SIZE)
    metrics.assert_shards_merge(case.name, task, prediction, target)


def assert_parts_average_to_the_whole(case: WholeCase) -> None:
    """Losses of parts of a batch, weighed by their label counts, give the loss of the batch."""
    task, target, output = case.make(), case.targets(5), case.random(5)
    total = weight = 0.0
    for first, last in ((0, 1), (1, 5)):
        part, labels = task.select(output, torch.arange(first, last)), target[first:last]
        count = float(task.label_count(part, labels))
        total, weight = total + count * float(task.loss(part, labels)), weight + count
    whole = float(task.loss(output, target))
    assert total / weight == pytest.approx(whole, rel=1e-5), f"{case.name}: parts average to {total / weight}, not {whole}"


def assert_survives_no_labels(case: WholeCase) -> None:
    task = case.make()
    leaf = case.random(2).requires_grad_()
    loss = task.loss(leaf[:0], case.targets(2)[:0])
    loss.backward()
    assert loss == 0, f"{case.name}: the loss is {loss} where nothing is labelled"
    assert leaf.grad is not None and not leaf.grad.any(), f"{case.name}: a gradient where nothing is labelled"


def assert_zero_output_learns(case: WholeCase) -> None:
    """A head that starts at zero gives a finite loss and finite gradients."""
    task = case.make()
    leaf = torch.zeros(2, task.channels, requires_grad=True)
    loss = task.loss(leaf, case.targets(2))
    loss.backward()
    assert leaf.grad is not None
    assert loss.isfinite() and leaf.grad.isfinite().all(), f"{case.name}: loss {loss} or gradients not finite"
    assert leaf.grad.any(), f"{case.name}: zero outputs have no gradient"


def assert_works_in_half_precision_and_alone(case: WholeCase) -> None:
    task, target = case.make(), case.targets(1)
    output = case.random(1).bfloat16()
    loss = task.loss(output, target)
    assert loss.shape == () and loss.dtype == torch.float32, f"{case.name}: loss {loss.dtype} of shape {tuple(loss.shape)}"
    prediction = task.decode(output, SIZE)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        again = task.decode(output, SIZE)
    assert torch.equal(again, prediction), f"{case.name}: autocast changes the prediction"


def assert_ensembles(case: WholeCase) -> None:
    task = case.make()
    one, two = case.random(3), case.random(3)
    alone = task.decode(one, SIZE)
    assert torch.allclose(mean_prediction(task, [one, one], SIZE), alone, atol=1e-4), f"{case.name}: twice itself differs"
    assert torch.equal(mean_prediction(task, [one, two], SIZE), mean_prediction(task, [two, one], SIZE)), (
        f"{case.name}: order matters"
    )


def assert_draws(case: WholeCase) -> None:
    task, image = case.make(), torch.full((3, *SIZE), 90, dtype=torch.uint8)
    target = case.targets(1)
    first = target[0]["boxes"] if isinstance(target[0], dict) else target[0]
    for value in (first, task.decode(case.perfect(target), SIZE)[0]):
        picture = task.picture(value)
        assert picture.dtype == torch.uint8 and len(picture) == 3, f"{case.name}: a picture is uint8 (3, H, W)"
        assert picture.any(), f"{case.name}: nothing is drawn"
        over = task.over(image, value)
        assert over.dtype == torch.uint8, f"{case.name}: a picture is uint8, got {over.dtype}"
        assert tuple(over.shape) == (3, *SIZE), f"{case.name}: drawn over its image it is {tuple(over.shape)}"
        assert (over != 90).any() and (image == 90).all(), f"{case.name}: nothing is drawn, or into the image itself"


def assert_refuses_what_cannot_be(case: WholeCase) -> None:
    task, target = case.make(), case.targets(2)
    for output, labels in (
        (torch.zeros(2, task.channels + 1), target),
        (torch.zeros(2, task.channels, 1, 1), target),
        (torch.zeros(3, task.channels), target),
        (case.random(2), target[:1]),
    ):
        with pytest.raises(ValueError, match=r"expects .*got .*;"):
            task.loss(output, labels)
    with pytest.raises(ValueError, match=r"expects .*got \(2.*;"):
        task.metric().update(task.decode(case.random(2), SIZE), target[:1])
    for said, labels in case.bad.items():
        with pytest.raises(ValueError, match=said):
            task.loss(case.random(1), labels)


def assert_pickles(case: WholeCase) -> None:
    task = case.make()
    again = pickle.loads(pickle.dumps(task))
    output, target = case.random(2), case.targets(2)
    assert torch.equal(again.loss(output, target), task.loss(output, target)), f"{case.name}: a pickled task is another"


WHOLE_CHECKS = [
    assert_names_every_metric,
    assert_perfect_is_best,
    assert_batches_change_nothing,
    assert_shards_merge,
    assert_parts_average_to_the_whole,
    assert_survives_no_labels,
    assert_zero_output_learns,
    assert_works_in_half_precision_and_alone,
    assert_ensembles,
    assert_draws,
    assert_refuses_what_cannot_be,
    assert_pickles,
]
