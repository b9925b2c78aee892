"""What every weighting must keep. A new one joins by one line in test_weighting_contract.py."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from taskweave.weighting.weighting import GradientWeighting, Weighting

TASKS = ("a", "b", "c")
Losses = dict[str, float]


@dataclass(frozen=True)
class WeightingCase:
    """A weighting as the contract sees it.

    build: from the names of its tasks.
    alone: whether a single task's loss is left as it is.
    positive: whether no weight can be 0 or below.
    weighs: whether it has weights to tell.
    adapts: whether its weights change with the losses.
    patience: how many steps of an epoch the longest test takes; few for those that solve a program in each.
    """

    name: str
    build: Callable[[Sequence[str]], Weighting]
    alone: bool = True
    positive: bool = True
    weighs: bool = True
    adapts: bool = True
    patience: int = 200

    def __str__(self) -> str:
        return self.name


class Course:
    """A weighting under way: steps on given losses, as a training makes them; what learns, learns by Adam."""

    def __init__(self, weighting: Weighting) -> None:
        self.weighting = weighting
        learned = list(weighting.parameters())
        self.optimizer = torch.optim.Adam(learned, lr=0.01) if learned else None

    def step(self, losses: Losses) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted loss, and the gradient for each loss; of a gradient weighting the aggregated one of random ones."""
        given = {task: torch.tensor(value, requires_grad=True) for task, value in losses.items()}
        total = self.weighting(given)
        total.backward()
        gradients = {task: loss.grad if loss.grad is not None else torch.zeros(()) for task, loss in given.items()}
        if self.optimizer is not None:
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
        if isinstance(self.weighting, GradientWeighting):
            moving = {task: value * directions()[task] for task, value in losses.items() if value != 0.0}
            total = self.weighting.aggregate(moving) if moving else torch.zeros(6)
        self.weighting.observe(losses)
        return total.detach(), gradients

    def epochs(self, count: int, losses: Callable[[int], Losses], *, steps: int = 3) -> list[Tensor]:
        """So many epochs; losses: of the number of the step. The totals of all steps."""
        found = []
        for epoch in range(count):
            found += [self.step(losses(epoch * steps + i))[0] for i in range(steps)]
            self.weighting.end_epoch()
        return found


def directions() -> dict[str, Tensor]:
    """Three gradients, two of which conflict."""
    rows = torch.randn(3, 6, generator=torch.Generator().manual_seed(5))
    rows[1] = 0.5 * rows[1] - 0.8 * rows[0]
    return dict(zip(TASKS, rows, strict=True))


def waves(step: int) -> Losses:
    """Losses that fall at different speeds and wobble."""
    return {
        task: (1.0 + i) * math.exp(-0.05 * (i + 1) * step) + 0.1 * math.cos(step + i) + 0.2 for i, task in enumerate(TASKS)
    }


def some(step: int) -> Losses:
    """`waves` with a label for one task, for two, or for all."""
    chosen = [TASKS[:1], TASKS[1:2], TASKS[1:], TASKS][step % 4]
    return {task: loss for task, loss in waves(step).items() if task in chosen}


def assert_state_survives_a_checkpoint(case: WeightingCase) -> None:
    """In the middle of an epoch; both go on bit-equal, and what is stored is plain enough to be loaded safely."""
    one = Course(case.build(TASKS))
    torch.manual_seed(1)
    one.epochs(4, some)
    one.step(some(2)), one.step(some(3))
    stored = io.BytesIO()
    learned = None if one.optimizer is None else one.optimizer.state_dict()
    torch.save((one.weighting.state_dict(), learned), stored)
    stored.seek(0)
    state, learned = torch.load(stored, weights_only=True)
    other = Course(case.build(TASKS))
    other.weighting.load_state_dict(state)
    if other.optimizer is not None:
        other.optimizer.load_state_dict(learned)
    assert one.weighting.weights() == other.weighting.weights(), "the weights differ at once"
    found = []
    for course in (one, other):
        torch.manual_seed(2)  # some aggregators draw
        found.append((course.epochs(4, some), course.weighting.weights()))
    assert all(torch.equal(a, b) for a, b in zip(found[0][0], found[1][0], strict=True)), "the losses differ"
    assert found[0][1] == found[1][1], "the weights differ later on"


def assert_adapts(case: WeightingCase) -> None:
    """The weights change with the losses exactly where the case says so: a state that does not matter would survive all."""
    course = Course(case.build(TASKS))
    torch.manual_seed(1)
    seen = []
    for epoch in range(5):
        for step in range(3):
            course.step(waves(3 * epoch + step))
            seen.append(course.weighting.weights())
        course.weighting.end_epoch()
    changed = any(weights != seen[0] for weights in seen)
    assert changed == (case.adapts and case.weighs), f"weights step by step: {seen}"


def assert_missing_tasks_are_allowed(case: WeightingCase) -> None:
    """Any of the tasks, in any order, and a step without any: everything stays finite, and what is there has a gradient."""
    course = Course(case.build(TASKS))
    torch.manual_seed(1)
    for step in range(12):
        losses = some(step)
        total, gradients = course.step(losses)
        assert bool(torch.isfinite(total).all()), f"step {step}: {total}"
        assert all(bool(g != 0) for g in gradients.values()), f"step {step}: gradients {gradients} for {losses}"
        if step % 3 == 2:
            course.weighting.observe({})
            course.weighting.end_epoch()
    _assert_finite(course.weighting.weights())


def assert_one_task_is_that_loss(case: WeightingCase) -> None:
    """Exactly where the case says so, at every step."""
    course = Course(case.build(["a"]))
    same = True
    for step in range(9):
        loss = waves(step)["a"]
        total, gradients = course.step({"a": loss})
        expected = loss * directions()["a"] if isinstance(course.weighting, GradientWeighting) else torch.tensor(loss)
        close = torch.allclose(total, expected, rtol=1e-6) and torch.allclose(gradients["a"], torch.ones(()), rtol=1e-6)
        same = same and close
        if step % 3 == 2:
            course.weighting.end_epoch()
    assert same == case.alone, f"one task's loss is {'not ' * (not same)}left as it is; the case says the contrary"


def assert_weights_stay_finite_and_positive(case: WeightingCase) -> None:
    """Whatever the losses: huge, tiny, jumping, for many epochs."""
    course = Course(case.build(TASKS))
    torch.manual_seed(1)
    wild = [1e-6, 1e4, 1.0, 1e-3, 30.0]
    epochs = min(40, case.patience)
    course.epochs(epochs, lambda step: {task: wild[(step * (i + 2) + i) % 5] for i, task in enumerate(TASKS)})
    weights = course.weighting.weights()
    assert set(weights) == (set(TASKS) if case.weighs else set()), f"weights of {set(weights)}"
    _assert_finite(weights)
    assert not case.positive or all(weight > 0 for weight in weights.values()), f"weights {weights}"


def assert_weights_are_the_factors(case: WeightingCase) -> None:
    """What the log shows is what a loss (or a gradient) was multiplied by."""
    course = Course(case.build(TASKS))
    torch.manual_seed(1)
    course.epochs(4, waves)
    before = course.weighting.weights()
    total, gradients = course.step(waves(7))
    after = course.weighting.weights()
    if isinstance(course.weighting, GradientWeighting):
        expected = sum(after[task] * waves(7)[task] * directions()[task] for task in TASKS)
        torch.testing.assert_close(total, expected, rtol=1e-4, atol=1e-5)
        return
    found = {task: float(gradient) for task, gradient in gradients.items()}
    assert found in (pytest.approx(before, rel=1e-5), pytest.approx(after, rel=1e-5)), f"{found}, told {before}, {after}"


def assert_a_constant_zero_loss_is_harmless(case: WeightingCase) -> None:
    """A task at 0 for ever neither breaks the weights nor stops the others."""
    course = Course(case.build(TASKS))
    torch.manual_seed(1)
    for epoch in range(6):
        for step in range(case.patience):
            losses = {**waves(step), "b": 0.0}
            total, gradients = course.step(losses)
            assert bool(torch.isfinite(total).all()), f"epoch {epoch}, step {step}: {total}"
            assert gradients["a"] > 1e-6 and gradients["c"] > 1e-6, f"the others stand still: {gradients}"
        assert bool((total != 0).any()), "nothing moves"
        course.weighting.end_epoch()
    _assert_finite(course.weighting.weights())
    assert bool(torch.isfinite(course.step(waves(1))[0]).all()), "the first loss after zeros"


def assert_forward_changes_nothing(case: WeightingCase) -> None:
    """Batches of one step see the same weights, however many there are."""
    weighting = case.build(TASKS)
    given = {task: torch.tensor(value) for task, value in waves(3).items()}
    before = weighting.weights()
    first, second = weighting(given), weighting(given)
    assert torch.equal(first, second) and weighting.weights() == before, "a forward pass changed the weights"


def assert_refuses(case: WeightingCase) -> None:
    """No losses, a task it does not know, no tasks at all."""
    weighting = case.build(TASKS)
    with pytest.raises(ValueError, match="no losses"):
        weighting({})
    with pytest.raises(KeyError, match=r"no weight for \['x'\].*'a', 'b', 'c'"):
        weighting({"x": torch.ones(())})
    with pytest.raises(ValueError, match=r"names of the tasks|got none"):
        case.build([])


def assert_known_by_its_options(case: WeightingCase) -> None:
    """As JSON values, which are the same for two of a kind and whatever it has seen."""
    one, other = case.build(TASKS), case.build(TASKS)
    torch.manual_seed(1)
    Course(one).epochs(3, waves)
    assert one.determining() == other.determining() == json.loads(json.dumps(one.determining()))


def _assert_finite(weights: Mapping[str, float]) -> None:
    assert all(math.isfinite(weight) and isinstance(weight, float) for weight in weights.values()), f"weights {weights}"
