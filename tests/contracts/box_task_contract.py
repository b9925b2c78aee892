"""What every task with boxes promises. A new one joins by one line in BOX_CASES."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import Metric
from torchvision import tv_tensors

from taskweave.heads.outputs import AnchorOutputs, RoiAttributes, RoiOutputs
from taskweave.metrics import AveragePrecision, LogAverageMissRate
from taskweave.tasks import AnchorLoss, Attributes, Detection, RoiDetection, Suppression, Task, mean_soft

SIZE = (80, 120)
PLACES = torch.tensor([[x, y, x + 20.0, y + 20.0] for y in (0.0, 30, 60) for x in (0.0, 30, 60, 90)])
"""Twelve boxes that do not touch: the anchors, the proposals, and where objects are."""
CLASSES, ATTRIBUTES = 3, 5


@dataclass(frozen=True)
class Labelled:
    """What images hold: the targets of the metric, and those of the loss for `PLACES` as anchors or regions."""

    targets: list[dict[str, Any]]
    loss_targets: list[dict[str, Any]]


@dataclass(frozen=True)
class BoxCase:
    """A task, and what the suite must know to ask it questions.

    images: (n) -> labels of n images; nothing: of n images in which nothing is labelled.
    perfect: labels -> the outputs that are right.  random: (n) -> outputs with values of a normal distribution.
    """

    name: str
    make: Callable[[], Task]
    images: Callable[[int], Labelled]
    nothing: Callable[[int], Labelled]
    perfect: Callable[[Labelled], Any]
    random: Callable[[int], Any]


def boxes(values: Tensor) -> tv_tensors.BoundingBoxes:
    return tv_tensors.BoundingBoxes(values, format="XYXY", canvas_size=SIZE)


def _detected(n: int) -> Labelled:
    """Every class is in every image, and so are places without an object."""
    labels = [
        torch.cat([torch.arange(CLASSES + 1), torch.randint(0, CLASSES + 1, (8,))])[torch.randperm(12)] for _ in range(n)
    ]
    return _from_labels(labels, ignore=False)


def _ignored(n: int) -> Labelled:
    return _from_labels([torch.ones(12, dtype=torch.int64)] * n, ignore=True)


def _from_labels(labels: Sequence[Tensor], *, ignore: bool) -> Labelled:
    targets = [
        {"boxes": boxes(PLACES[row > 0]), "labels": row[row > 0], "ignore": torch.full((int((row > 0).sum()),), ignore)}
        for row in labels
    ]
    regions = [{"labels": row.masked_fill(row > -1, -1) if ignore else row, "deltas": torch.zeros(12, 4)} for row in labels]
    return Labelled(targets, regions)


def _anchored(labelled: Labelled) -> Labelled:
    return Labelled(labelled.targets, labelled.targets)


def _sure(labelled: Labelled) -> Tensor:
    rows = torch.zeros(len(labelled.targets), 12, dtype=torch.int64)
    for row, target in zip(rows, labelled.targets, strict=True):
        row[torch.cdist(target["boxes"].as_subclass(Tensor), PLACES).argmin(1)] = target["labels"]
    return 30.0 * F.one_hot(rows, CLASSES + 1).float()


def _with_values(n: int) -> Labelled:
    values = [(torch.rand(12, ATTRIBUTES) < 0.5).float().index_fill(0, torch.tensor([i % 12]), 1.0) for i in range(n)]
    for value in values:
        value[torch.rand(12, ATTRIBUTES) < 0.1] = torch.nan
        value[0], value[1] = 1.0, 0.0
    return _from_values(values)


def _from_values(values: Sequence[Tensor]) -> Labelled:
    targets = [{"boxes": boxes(PLACES), "labels": torch.ones(12, dtype=torch.int64), "values": part} for part in values]
    return Labelled(targets, [{"values": part} for part in values])


def _rois(n: int) -> tuple[Tensor, ...]:
    return (PLACES,) * n


def _attribute_outputs(labelled: Labelled) -> RoiAttributes:
    values = torch.cat([target["values"] for target in labelled.targets])
    return RoiAttributes(60.0 * values.nan_to_num(0.5) - 30.0, _rois(len(labelled.targets)))


def _attribute_noise(n: int) -> RoiAttributes:
    return RoiAttributes(torch.randn(12 * n, ATTRIBUTES), _rois(n))


def _no_values(n: int) -> Labelled:
    return _from_values([torch.full((12, ATTRIBUTES), torch.nan)] * n)


SURE = Suppression(score=0.0)
BOX_CASES = [
    BoxCase("detection",
            lambda: Detection(CLASSES, anchor_loss=AnchorLoss(sample=None), suppression=SURE),
            lambda n: _anchored(_detected(n)), lambda n: _anchored(_ignored(n)),
            lambda y: AnchorOutputs(_sure(y), torch.zeros(len(y.targets), 12, 4), PLACES),
            lambda n: AnchorOutputs(torch.randn(n, 12, CLASSES + 1), torch.randn(n, 12, 4), PLACES)),
    BoxCase("detection, sampled, two metrics",
            lambda: Detection(["car", "van", "cat"], metrics=[LogAverageMissRate(), AveragePrecision("11-point")],
                              suppression=SURE),
            lambda n: _anchored(_detected(n)), lambda n: _anchored(_ignored(n)),
            lambda y: AnchorOutputs(_sure(y), torch.zeros(len(y.targets), 12, 4), PLACES),
            lambda n: AnchorOutputs(torch.randn(n, 12, CLASSES + 1), torch.randn(n, 12, 4), PLACES)),
    BoxCase("detection of regions", lambda: RoiDetection(CLASSES, suppression=SURE),
            _detected, _ignored,
            lambda y: RoiOutputs(_sure(y).flatten(0, 1), torch.zeros(12 * len(y.targets), 4 * CLASSES + 4),
                                 _rois(len(y.targets))),
            lambda n: RoiOutputs(torch.randn(12 * n, CLASSES + 1), torch.randn(12 * n, 4 * CLASSES + 4), _rois(n))),
    BoxCase("attributes", lambda: Attributes(ATTRIBUTES), _with_values, _no_values, _attribute_outputs, _attribute_noise),
    BoxCase("attributes on detections", lambda: Attributes(ATTRIBUTES, measured_on="detections", suppression=SURE),
            _with_values, _no_values, _attribute_outputs, _attribute_noise),
]  # fmt: skip


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


def scores(task: Task, *pairs: tuple[Any, Labelled]) -> dict[str, float]:
    """The metrics of (output, labels) batches."""
    metric = task.metric()
    for output, labelled in pairs:
        metric.update(task.decode(output, SIZE), labelled.targets)
    return {name: float(value) for name, value in metric.compute().items()}


def measured(shards: list[Metric], prediction: Sequence[Any], target: Sequence[Any], sizes: list[int]) -> dict[str, float]:
    """The metrics of batches of those sizes, given to the shards in turn, which are then merged into the first."""
    start = 0
    for i, size in enumerate(sizes):
        shards[i % len(shards)].update(prediction[start : start + size], target[start : start + size])
        start += size
    for shard in shards[1:]:
        shards[0].merge_state(shard)
    return {name: float(value) for name, value in shards[0].compute().items()}


def same(a: Sequence[dict[str, Any]], b: Sequence[dict[str, Any]], tolerance: float = 0.0) -> bool:
    return len(a) == len(b) and all(
        x.keys() == y.keys()
        and all(x[k].shape == y[k].shape and torch.allclose(x[k].float(), y[k].float(), rtol=0, atol=tolerance) for k in x)
        for x, y in zip(a, b, strict=True)
    )


def assert_names_every_metric(case: BoxCase) -> None:
    task = case.make()
    got = scores(task, (case.random(2), case.images(2)))
    assert list(got) == list(task.directions), f"{case.name}: metrics {list(got)}, directions {list(task.directions)}"
    assert set(task.directions.values()) <= {"higher", "lower"}


def assert_perfect_is_best(case: BoxCase) -> None:
    task, labelled = case.make(), case.images(3)
    best = scores(task, (case.perfect(labelled), labelled))
    least = loss_of(task, case.perfect(labelled), labelled)
    for _ in range(3):
        output = case.random(3)
        assert loss_of(task, output, labelled) > least, f"{case.name}: a random output has a lower loss than the right one"
        for metric, value in scores(task, (output, labelled)).items():
            better = best[metric] > value if task.directions[metric] == "higher" else best[metric] < value
            assert better, f"{case.name}: {metric} is {best[metric]} for the right output, {value} for a random one"


def assert_batches_change_nothing(case: BoxCase) -> None:
    task, labelled = case.make(), case.images(5)
    prediction = task.decode(case.random(5), SIZE)
    whole = measured([task.metric()], prediction, labelled.targets, [5])
    for sizes in ([1, 1, 1, 1, 1], [4, 1], [2, 3]):
        got = measured([task.metric()], prediction, labelled.targets, sizes)
        assert got == pytest.approx(whole, rel=1e-12), f"{case.name}: batches of {sizes} change a metric"


def assert_shards_merge(case: BoxCase) -> None:
    task, labelled = case.make(), case.images(5)
    prediction = task.decode(case.random(5), SIZE)
    whole = measured([task.metric()], prediction, labelled.targets, [5])
    merged = measured([task.metric(), task.metric()], prediction, labelled.targets, [1, 1, 2, 1])
    assert merged == pytest.approx(whole, rel=1e-12), f"{case.name}: merged shards differ from the whole"


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
    assert same(mean_soft(task, [one, one], SIZE), alone, 1e-4), f"{case.name}: twice itself differs"
    assert same(mean_soft(task, [one, two], SIZE), mean_soft(task, [two, one], SIZE)), f"{case.name}: order matters"
    assert not same(mean_soft(task, [one, two], SIZE), alone, 1e-4), f"{case.name}: the second member has no say"


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
