"""MT-UNet's eq. 5 against the paper's algebra."""

import math
import statistics

import pytest
import torch

from taskweave.weighting import Fixed, VarianceRatio
from taskweave.weighting.variance_ratio import EpochLosses, variance_ratio_weights


def weights(learned, ratios):
    return variance_ratio_weights(torch.tensor(learned, dtype=torch.float64), torch.tensor(ratios, dtype=torch.float64))


def test_golden_value():
    """W = (1, 1), a = (.5, 1) gives (1/3, 2/3)."""
    assert weights([1.0, 1.0], [0.5, 1.0]).tolist() == pytest.approx([1 / 3, 2 / 3])


def test_equal_weights_and_ratios_give_half_of_eq_4():
    losses = {"depth": torch.tensor(0.7), "seg": torch.tensor(2.1)}
    eq_4 = Fixed({"depth": 1.0, "seg": 1.0})(losses)
    assert float(VarianceRatio(["depth", "seg"])(losses)) == pytest.approx(float(eq_4) / 2)
    assert weights([3.0, 3.0], [0.2, 0.2]).tolist() == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("c", [1e-3, 0.5, 7.0, 1e6])
def test_scaling_w_changes_nothing(c):
    base = weights([0.3, 1.4, 2.0], [1.0, 0.1, 5.0])
    assert weights([0.3 * c, 1.4 * c, 2.0 * c], [1.0, 0.1, 5.0]).tolist() == pytest.approx(base.tolist(), rel=1e-12)


def test_gradient_on_w_is_the_papers():
    """dL/dW_1 = a_1 a_2 W_2 (L_1 - L_2) / (W_1 a_1 + W_2 a_2)^2, and W . dL/dW = 0, against autograd."""
    learned = torch.tensor([0.8, 1.7], dtype=torch.float64, requires_grad=True)
    ratios, losses = torch.tensor([0.5, 1.3], dtype=torch.float64), torch.tensor([0.5, 1.5], dtype=torch.float64)
    (variance_ratio_weights(learned, ratios) * losses).sum().backward()
    denominator = (0.8 * 0.5 + 1.7 * 1.3) ** 2
    expected = [0.5 * 1.3 * 1.7 * (0.5 - 1.5) / denominator, 0.5 * 1.3 * 0.8 * (1.5 - 0.5) / denominator]
    assert learned.grad.tolist() == pytest.approx(expected, rel=1e-12)
    assert float(learned.detach() @ learned.grad) == pytest.approx(0.0, abs=1e-15)


def test_one_update_of_w_is_sgd_on_eq_5():
    """w' = w - lr dL/dW sigmoid(w), W = floor + softplus(w) = 1 at the start: the losses are taken as fixed."""
    weighting = VarianceRatio("ab", optimizer="sgd", learning_rate=0.1, floor=0.1)
    start = math.log(math.expm1(0.9))
    assert weighting.learned() == pytest.approx({"a": 1.0, "b": 1.0})
    weighting.observe({"a": 0.5, "b": 1.5})
    by_w = {"a": 1.0 * (0.5 - 1.5) / 4, "b": 1.0 * (1.5 - 0.5) / 4}
    slope = 1 / (1 + math.exp(-start))
    expected = {task: 0.1 + math.log1p(math.exp(start - 0.1 * g * slope)) for task, g in by_w.items()}
    assert weighting.learned() == pytest.approx(expected)
    assert weighting.weights()["a"] > 0.5  # weight moves to the smaller loss


@pytest.mark.slow
def test_constant_losses_for_5000_steps():
    """At which W as printed has long left its range."""
    weighting = VarianceRatio(["depth", "seg"])
    for step in range(5000):
        weighting.observe({"depth": 0.5, "seg": 1.5})
        if step % 100 == 99:
            weighting.end_epoch()
    found, learned = weighting.weights(), weighting.learned()
    assert all(0 < weight < 1 for weight in found.values()) and sum(found.values()) == pytest.approx(1.0)
    assert all(0.01 < w < math.inf for w in learned.values())


def test_as_printed_w_becomes_negative_and_warns():
    with pytest.warns(UserWarning, match="nothing keeps the weights positive"):
        weighting = VarianceRatio(["depth", "seg"], literal=True)
    for _ in range(2000):
        weighting.observe({"depth": 0.5, "seg": 1.5})
    assert weighting.learned()["seg"] < 0


EPOCHS = [[0.0, 2.0], [1.0, 1.0], [0.0, 4.0], [3.0, 3.5, 1.0]]


@pytest.mark.parametrize("window", [1, 2, 3])
def test_variance_over_iterations(window):
    """sigma(t): the mean over the window of each epoch's population variance."""
    losses = EpochLosses(window=window, variance_of="iterations")
    for done, steps in enumerate(EPOCHS, start=1):
        for loss in steps:
            losses.add({"a": loss})
        losses.end_epoch()
        sigmas = [statistics.pvariance(epoch) for epoch in EPOCHS[:done]]
        if done <= window:
            assert losses.ratio("a", eps=0.1) == 1.0
        else:
            newer, older = sigmas[-window:], sigmas[-window - 1 : -1]
            expected = (sum(newer) / window + 0.1) / (sum(older) / window + 0.1)
            assert losses.ratio("a", eps=0.1) == pytest.approx(expected)


def test_variance_over_epochs():
    """sigma(t): the population variance of the window's epoch means."""
    losses, means = EpochLosses(window=2, variance_of="epochs"), []
    for steps in EPOCHS:
        for loss in steps:
            losses.add({"a": loss})
        losses.end_epoch()
        means.append(sum(steps) / len(steps))
        if len(means) > 2:
            expected = (statistics.pvariance(means[-2:]) + 0.1) / (statistics.pvariance(means[-3:-1]) + 0.1)
            assert losses.ratio("a", eps=0.1) == pytest.approx(expected)
    assert len(means) == 4


def test_ratios_reach_the_weights():
    """a: variance 1 then 4, b: 4 then 4; eps 1e-8: a = (4, 1), so p = (.8, .2) where W is equal."""
    weighting = VarianceRatio("ab", window=1, learning_rate=1e-12)
    for spread in (1.0, 2.0):
        weighting.observe({"a": 5.0 - spread, "b": 3.0})
        weighting.observe({"a": 5.0 + spread, "b": 7.0})
        weighting.end_epoch()
    assert weighting.ratios() == pytest.approx({"a": 4.0, "b": 1.0})
    assert weighting.weights() == pytest.approx({"a": 0.8, "b": 0.2})


def test_data_sets_of_one_task_each():
    """W waits until every task has had a loss; then an absent one counts with its last."""
    weighting = VarianceRatio("ab")
    weighting.observe({"a": 1.0})
    assert weighting.learned() == pytest.approx({"a": 1.0, "b": 1.0})
    weighting.observe({"b": 2.0})
    together = VarianceRatio("ab")
    together.observe({"a": 1.0, "b": 2.0})
    assert weighting.learned() == together.learned() != {"a": 1.0, "b": 1.0}
    assert float(weighting({"b": torch.tensor(1.0)})) == pytest.approx(weighting.weights()["b"])


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"window": 0}, "window of 1 or more epochs, got window=0"),
        ({"window": 1, "variance_of": "epochs"}, "window of 2"),
        ({"floor": 1.0}, r"floor in \[0, 1\)"),
        ({"eps": 0.0}, "eps above 0"),
    ],
)
def test_bad_options(options, match):
    with pytest.raises(ValueError, match=match):
        VarianceRatio("ab", **options)


def test_other_variances_and_both_optimisers_end_apart():
    """The options are read: four different W after the same losses."""
    found = set()
    for options in ({}, {"variance_of": "epochs"}, {"optimizer": "sgd"}, {"window": 2}):
        weighting = VarianceRatio("ab", **{"window": 3, "learning_rate": 0.1, **options})
        for step in range(20):
            weighting.observe({"a": 1.0 + math.sin(step), "b": 3.0 + math.cos(2 * step) / (1 + step)})
            if step % 4 == 3:
                weighting.end_epoch()
        found.add(round(weighting.weights()["a"], 9))
    assert len(found) == 4
