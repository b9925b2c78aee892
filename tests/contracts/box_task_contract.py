"""What every task with boxes promises; box_task_cases.py has the tasks."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from contracts import metric_contract as metrics
from contracts.box_task_cases import SIZE, BoxCase, Labelled
from tasks.ensembles import mean_prediction
from torch import Tensor

from taskweave.heads.layers import RoiAttributes
from taskweave.tasks import Task


def learned(output: Any) -> list[Tensor]:
    """The parts of an output that a network computes with its weights."""
    return [output.logits, *([] if isinstance(output, RoiAttributes) else [output.deltas])]


def leaves(output: Any) -> Any:
    """The output with parts that gather gradients."""
    fresh = {"logits": output.logits.clone().requires_grad_()}
    if not isinstance(output, RoiAttributes):
        fresh["deltas"] = output.deltas.clone().requires_grad_()
    return output._replace(**fresh)


def loss_of(task: Task, output: Any, labelled: Labelled) -> Tensor:
    torch.manual_seed(1)  # anchors are drawn at random
    return task.loss(output, labelled.loss_targets)


def scores(task: Task, *batches: tuple[Any, Labelled]) -> dict[str, float]:
    """The metrics of (output, labels) batches."""
    return metrics.scores(task, SIZE, *((output, labelled.targets) for output, labelled in batches))


def same(a: Sequence[dict[str, Any]], b: Sequence[dict[str, Any]], tolerance: float = 0.0) -> bool:
    return len(a) == len(b) and all(
        x.keys() == y.keys()
        and all(x[k].shape == y[k].shape and torch.allclose(x[k].float(), y[k].float(), rtol=0, atol=tolerance) for k in x)
        for x, y in zip(a, b, strict=True)
    )


def assert_names_every_metric(case: BoxCase) -> None:
    metrics.assert_names_every_metric(case.name, case.make(), SIZE, (case.random(2), case.images(2).targets))


def assert_perfect_is_best(case: BoxCase) -> None:
    task, labelled = case.make(), case.images(3)
    best = scores(task, (case.perfect(labelled), labelled))
    least = loss_of(task, case.perfect(labelled), labelled)
    for _ in range(3):
        output = case.random(3)
        assert loss_of(task, output, labelled) > least, f"{case.name}: a random output has a lower loss than the right one"
        metrics.assert_better(case.name, task, best, scores(task, (output, labelled)))


def assert_batches_change_nothing(case: BoxCase) -> None:
    task, labelled = case.make(), case.images(5)
    prediction = task.decode(case.random(5), SIZE)
    metrics.assert_batches_change_nothing(case.name, task, prediction, labelled.targets)


def assert_shards_merge(case: BoxCase) -> None:
    task, labelled = case.make(), case.images(5)
    prediction = task.decode(case.random(5), SIZE)
    metrics.assert_shards_merge(case.name, task, prediction, labelled.targets)


def assert_parts_average_to_the_whole(case: BoxCase) -> None:
    """Losses of parts of a batch, weighed by their label counts, give the loss of the batch."""
    task, labelled, output = case.make(), case.images(3), case.random(3)
    total = weight = 0.0
    for rows in (torch.tensor([0]), torch.tensor([1, 2])):
        part, target = task.select(output, rows), [labelled.loss_targets[i] for i in rows]
        count = float(task.label_count(part, target))
        total, weight = total + count * float(task.loss(part, target)), weight + count
    whole = float(task.loss(output, labelled.loss_targets))
    assert total / weight == pytest.approx(whole, rel=1e-5), f"{case.name}: parts average to {total / weight}, not {whole}"
    assert float(task.label_count(output, labelled.loss_targets)) == weight, f"{case.name}: label counts do not add up"


def assert_survives_no_labels(case: BoxCase) -> None:
    task, nothing = case.make(), case.nothing(2)
    output = leaves(case.random(2))
    loss = loss_of(task, output, nothing)
    loss.backward()
    assert loss == 0, f"{case.name}: the loss is {loss} where nothing is labelled"
    for part in learned(output):
        assert part.grad is not None, f"{case.name}: the loss of no labels is not connected to the output"
        assert not part.grad.any(), f"{case.name}: a gradient where nothing is labelled"


def assert_zero_output_learns(case: BoxCase) -> None:
    task = case.make()
    output = case.random(2)
    output = leaves(output._replace(logits=torch.zeros_like(output.logits)))
    loss = loss_of(task, output, case.images(2))
    loss.backward()
    assert loss.isfinite(), f"{case.name}: loss {loss} not finite"
    for part in learned(output):
        assert part.grad is not None and part.grad.isfinite().all(), f"{case.name}: gradients not finite"
        assert part.grad.any(), f"{case.name}: zero outputs have no gradient"


def assert_works_in_half_precision_and_alone(case: BoxCase) -> None:
    task, labelled = case.make(), case.images(1)
    output = case.random(1)
    output = output._replace(logits=output.logits.bfloat16())
    loss = loss_of(task, output, labelled)
    assert loss.shape == () and loss.dtype == torch.float32, f"{case.name}: loss {loss.dtype} of shape {tuple(loss.shape)}"
    prediction = task.decode(output, SIZE)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        again = task.decode(output, SIZE)
    assert same(again, prediction), f"{case.name}: autocast changes the prediction"


def assert_ensembles(case: BoxCase) -> None:
    task = case.make()
    one, two = case.random(2), case.random(2)
    alone = task.decode(one, SIZE)
    assert same(mean_prediction(task, [one, one], SIZE), alone, 1e-4), f"{case.name}: twice itself differs"
    assert same(mean_prediction(task, [one, two], SIZE), mean_prediction(task, [two, one], SIZE)), (
        f"{case.name}: order matters"
    )
    assert not same(mean_prediction(task, [one, two], SIZE), alone, 1e-4), f"{case.name}: the second member has no say"


def assert_draws(case: BoxCase) -> None:
    task, labelled = case.make(), case.images(1)
    for value in (labelled.targets[0], task.decode(case.perfect(labelled), SIZE)[0]):
        picture = task.picture(value)
        assert picture.dtype == torch.uint8, f"{case.name}: a picture is uint8, got {picture.dtype}"
        assert tuple(picture.shape) == (3, *SIZE), f"{case.name}: a picture is (3, H, W), got {tuple(picture.shape)}"
        assert picture.any(), f"{case.name}: boxes are not drawn"
        assert not picture[:, 25].any(), f"{case.name}: where no box is it is black"


def assert_refuses_other_targets(case: BoxCase) -> None:
    """One image too few, a target without its parts, another network's output."""
    task, labelled = case.make(), case.images(2)
    for wrong in (labelled.loss_targets[:1], [{}, {}], torch.zeros(2, 3)):
        with pytest.raises(ValueError, match=r"expects .*got .*;"):
            task.loss(case.random(2), wrong)
    output = case.random(2)
    with pytest.raises(ValueError, match=r"expects .*got \(.*; build the network with"):
        task.loss(output._replace(logits=output.logits[..., :-1]), labelled.loss_targets)
    with pytest.raises(TypeError, match=r"expects .*got Tensor; "):
        task.loss(output.logits, labelled.loss_targets)
    with pytest.raises(ValueError, match=r"expects one prediction per target, got 2 and 1"):
        task.metric().update(task.decode(output, SIZE), labelled.targets[:1])


def assert_pickles(case: BoxCase) -> None:
    task = case.make()
    again = pickle.loads(pickle.dumps(task))
    output, labelled = case.random(2), case.images(2)
    assert torch.equal(loss_of(again, output, labelled), loss_of(task, output, labelled)), (
        f"{case.name}: a pickled task is another"
    )


BOX_CHECKS = [
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
    assert_refuses_other_targets,
    assert_pickles,
]
