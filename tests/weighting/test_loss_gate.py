"""Dropped losses: what is left, what the weights within go by, and a training with it."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor
from training import toys

from taskweave.parts import part
from taskweave.training import fit
from taskweave.weighting import DynamicWeightAverage, Fixed, GradientAggregation, LossGate, Uncertainty, Weighting

BELOW = {"species": 0.2, "box": 0.2}
TASKS = ("species", "box", "segmentation")


def gate(within: type[Weighting], *, below: dict[str, float] = BELOW, **options: object) -> LossGate:
    return LossGate(TASKS, below=below, weighting=part(within, **options))


def given(*values: float) -> dict[str, Tensor]:
    return {task: torch.tensor(value, requires_grad=True) for task, value in zip(TASKS, values, strict=True)}


def test_a_small_loss_is_out_of_this_total_only() -> None:
    weighting = gate(Fixed, weights={"species": 0.3, "box": 1.0, "segmentation": 2.0})
    losses = given(0.1999, 0.2, 0.01)
    total = weighting(losses)
    total.backward()
    assert float(total.detach()) == pytest.approx(0.2 + 0.02)
    assert losses["species"].grad is None, "a dropped task moves nothing of its own"
    assert [losses[name].grad for name in TASKS[1:]] == [torch.tensor(1.0), torch.tensor(2.0)]
    assert float(weighting(given(0.5, 0.1, 1.0))) == pytest.approx(0.15 + 2.0)


def test_the_ratios_go_by_all_losses_and_the_weights_sum_to_k() -> None:
    """T = 2, pre-weights (.3, 1, 2): w_k = 3 p_k exp(r_k / 2) / sum, with the dropped losses' ratios in it."""
    pre = dict(zip(TASKS, (0.3, 1.0, 2.0), strict=True))
    weighting = gate(DynamicWeightAverage, pre_weights=pre, every="iteration")
    for losses in ((0.4, 0.8, 0.6), (0.1, 0.4, 0.6)):
        assert weighting.weights() == pre
        weighting.observe(dict(zip(TASKS, losses, strict=True)))
    raw = [p * math.exp(r / 2) for p, r in zip(pre.values(), (0.1 / 0.4, 0.5, 1.0), strict=True)]
    expected = [3 * value / sum(raw) for value in raw]
    assert list(weighting.weights().values()) == pytest.approx(expected)
    assert sum(weighting.weights().values()) == pytest.approx(3.0)
    assert float(weighting(given(0.1, 0.1, 1.0))) == pytest.approx(expected[2])
    weighting.end_epoch()
    assert weighting.weights() == pre


def test_nothing_left_is_a_step_of_nothing() -> None:
    weighting = LossGate(("species", "box"), below=BELOW, weighting=part(Fixed))
    loss = torch.tensor(0.1, requires_grad=True)
    total = weighting({"species": loss, "box": loss})
    total.backward()
    assert float(total.detach()) == 0.0 and float(loss.grad) == 0.0


def test_what_is_within_counts() -> None:
    learned = gate(Uncertainty, forms="regression", learning_rate=0.01)
    assert learned.learning_rate == 0.01
    assert list(learned.parameters()) == list(learned.weighting.parameters()) and len(list(learned.parameters())) == 3
    averaged = gate(DynamicWeightAverage, below={})
    assert averaged.epochs_needed == 2
    assert gate(DynamicWeightAverage).determining()["below"] == BELOW
    assert averaged.determining() != gate(Uncertainty, below={}, forms="regression").determining()


def test_as_a_part_it_is_called_as_what_it_wraps_and_names_the_tasks_of_both() -> None:
    within = part(DynamicWeightAverage, every="iteration", pre_weights={"segmentation": 2.0})
    it = part(LossGate, below={"box": 0.1}, weighting=within)
    assert (it.fact("title"), it.fact("named")) == ("DWA per iteration", ["box", "segmentation"])
    assert isinstance(it(TASKS).weighting, DynamicWeightAverage)
    assert it.identity()["weighting"] == within.identity()


def test_what_is_refused() -> None:
    for below in ({"depth": 0.2}, {"box": math.nan}):
        with pytest.raises(ValueError, match="below should be finite numbers for some of the tasks"):
            gate(Fixed, below=below)
    message = "drops losses from a weighted sum, GradientAggregation combines gradients"
    with pytest.raises(ValueError, match=message):
        gate(GradientAggregation, aggregator="mean")
    with pytest.raises(ValueError, match=message):
        part(LossGate, below=BELOW, weighting=part(GradientAggregation))


def test_a_dropped_task_moves_nothing_of_its_own_in_a_training(tmp_path: Path) -> None:
    """With momentum and weight decay: the head of a task that is always below stays to the bit, the other's moves."""
    net = toys.network()
    before = {name: {k: v.clone() for k, v in net.stream(name).net.last.state_dict().items()} for name in ("a", "b")}
    gated = LossGate(["a", "b"], below={"b": 1e6}, weighting=part(DynamicWeightAverage, every="iteration"))
    options = toys.options(steps=4, weight_decay=0.1)
    fit(net, toys.TASKS, toys.ToySamples(), options, folder=tmp_path, seed=3, weighting=gated)
    moved = {
        name: not all(torch.equal(v, state[k]) for k, v in net.stream(name).net.last.state_dict().items())
        for name, state in before.items()
    }
    assert moved == {"a": True, "b": False}
