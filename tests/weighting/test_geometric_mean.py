"""The geometric mean of the losses and its gradient."""

import pytest
import torch

from taskweave.weighting import GeometricMean


def total_and_gradients(weighting, values):
    losses = {task: torch.tensor(value, requires_grad=True) for task, value in values.items()}
    total = weighting(losses)
    total.backward()
    return float(total.detach()), {task: 0.0 if loss.grad is None else float(loss.grad) for task, loss in losses.items()}


def test_golden_values():
    """L = (1, 4): 2, and (1, .25)."""
    weighting = GeometricMean("ab")
    total, gradients = total_and_gradients(weighting, {"a": 1.0, "b": 4.0})
    assert total == pytest.approx(2.0) and gradients == pytest.approx({"a": 1.0, "b": 0.25})
    weighting.observe({"a": 1.0, "b": 4.0})
    assert weighting.weights() == pytest.approx(gradients)


def test_mean_over_the_tasks_that_are_there():
    """Of 2 and 32 the mean is 8; b keeps its last factor."""
    weighting = GeometricMean("abc")
    total, gradients = total_and_gradients(weighting, {"a": 2.0, "c": 32.0})
    assert total == pytest.approx(8.0) and gradients == pytest.approx({"a": 2.0, "c": 0.125})
    weighting.observe({"a": 2.0, "c": 32.0})
    assert weighting.weights() == pytest.approx({"a": 2.0, "b": 1 / 3, "c": 0.125})


def test_a_loss_of_0_is_left_out():
    weighting = GeometricMean("abc")
    total, gradients = total_and_gradients(weighting, {"a": 1.0, "b": 0.0, "c": 4.0})
    assert total == pytest.approx(2.0) and gradients == pytest.approx({"a": 1.0, "b": 0.0, "c": 0.25})
    total, gradients = total_and_gradients(weighting, {"a": 0.0, "b": 0.0})
    assert (total, gradients) == (0.0, {"a": 1.0, "b": 1.0})


def test_a_negative_loss_is_refused():
    with pytest.raises(ValueError, match=r"not negative, got \{'b': -1"):
        GeometricMean("ab")({"a": torch.tensor(1.0), "b": torch.tensor(-1.0)})
    with pytest.raises(ValueError, match="smallest above 0"):
        GeometricMean("ab", smallest=0.0)
