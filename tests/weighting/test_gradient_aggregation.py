"""The adapter to TorchJD: what goes in, what comes out, what is remembered; two methods against their definitions."""

import builtins

import pytest
import torch
from torchjd import aggregation

from taskweave.weighting import GradientAggregation

ONE, OTHER = torch.tensor([1.0, 2.0, 0.0]), torch.tensor([-2.0, 0.5, 1.0])


def test_mean_is_plain_averaging():
    found = GradientAggregation.of("ab", aggregation.Mean()).aggregate({"a": ONE, "b": OTHER})
    torch.testing.assert_close(found, (ONE + OTHER) / 2)


def test_mgda_is_the_point_of_least_norm():
    """Between two gradients: t g + (1 - t) h with t = (h - g) . h / |g - h|^2."""
    t = float((OTHER - ONE) @ OTHER / (ONE - OTHER).square().sum())
    weighting = GradientAggregation.of("ab", aggregation.MGDA())
    found = weighting.aggregate({"a": ONE, "b": OTHER})
    torch.testing.assert_close(found, t * ONE + (1 - t) * OTHER, rtol=1e-3, atol=1e-3)
    assert weighting.weights() == pytest.approx({"a": t, "b": 1 - t}, abs=1e-3)


def test_pcgrad_takes_each_conflict_out():
    """g . h = -1 < 0: each loses its part along the other; the sum of both."""
    dot = float(ONE @ OTHER)
    expected = (ONE - dot / OTHER.square().sum() * OTHER) + (OTHER - dot / ONE.square().sum() * ONE)
    torch.testing.assert_close(
        GradientAggregation.of("ab", aggregation.PCGrad()).aggregate({"a": ONE, "b": OTHER}), expected
    )


def test_order_is_that_of_the_tasks_not_of_the_step():
    """Constant weights (3, 1) belong to (a, b), whichever was first in the step."""
    weighting = GradientAggregation.of("ab", aggregation.Constant(torch.tensor([3.0, 1.0])))
    torch.testing.assert_close(weighting.aggregate({"b": OTHER, "a": ONE}), 3 * ONE + OTHER)
    assert weighting.weights() == {"a": 3.0, "b": 1.0}


def test_sets_of_tasks_have_memories_of_their_own():
    """Nash-MTL of three tasks serves two of them; what it remembers of these is not mixed with others'."""
    gradients = {"a": ONE, "b": OTHER, "c": torch.tensor([0.3, -1.0, 2.0])}
    of_two = GradientAggregation.of("ab", aggregation.NashMTL(n_tasks=2))
    of_three = GradientAggregation.of("abc", aggregation.NashMTL(n_tasks=3))
    pair = {task: gradients[task] for task in "ab"}
    for _ in range(3):
        expected = of_two.aggregate(pair)
        of_three.aggregate(gradients)
        assert torch.equal(of_three.aggregate(pair), expected)


def test_the_aggregator_that_was_given_stays_as_it_is():
    given = aggregation.NashMTL(n_tasks=2)
    GradientAggregation.of("ab", given).aggregate({"a": ONE, "b": OTHER})
    assert given.weighting.step == 0


def test_what_it_cannot_store_is_refused():
    with pytest.raises(ValueError, match=r"ExcessMTL.*cannot be stored.*NashMTL, GradVac"):
        GradientAggregation.of("ab", aggregation.ExcessMTL())
    with pytest.raises(TypeError, match=r"object of torchjd\.aggregation such as UPGrad\(\), got <class"):
        GradientAggregation.of("ab", aggregation.UPGrad)


def test_without_torchjd_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def fake(name, *args, **kwargs):
        if name.partition(".")[0] == "torchjd":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    upgrad = aggregation.UPGrad()
    monkeypatch.setattr(builtins, "__import__", fake)
    with pytest.raises(ImportError, match=r"pip install taskweave\[aggregation\]"):
        GradientAggregation.of("ab", upgrad)
