"""Learned log variances against the formula."""

import math
from typing import NamedTuple

import pytest
import torch

from taskweave.weighting import Uncertainty


class Task(NamedTuple):
    regression: bool


TASKS = {"depth": Task(regression=True), "seg": Task(regression=False)}


def test_golden_values():
    """s = -.5: .82436 for regression, 1.64872 for classification."""
    weights = Uncertainty(TASKS, initial=-0.5).weights()
    assert {task: round(weight, 5) for task, weight in weights.items()} == {"depth": 0.82436, "seg": 1.64872}


def test_loss_and_gradients_are_the_formula():
    weighting = Uncertainty(TASKS, initial=0.3)
    total = weighting({"depth": torch.tensor(2.0), "seg": torch.tensor(5.0)})
    total.backward()
    assert float(total) == pytest.approx(2 * math.exp(-0.3) / 2 + 0.15 + 5 * math.exp(-0.3) + 0.15)
    found = [float(s.grad) for s in weighting.log_variances]
    assert found == pytest.approx([-2 * math.exp(-0.3) / 2 + 0.5, -5 * math.exp(-0.3) + 0.5])


def test_an_absent_task_stays_where_it_is_whatever_the_momentum():
    weighting = Uncertainty(TASKS)
    optimizer = torch.optim.Adam(weighting.parameters(), lr=0.1)
    for present in (("depth", "seg"), ("seg",), ("seg",)):
        before = weighting.weights()
        optimizer.zero_grad(set_to_none=True)
        weighting({task: torch.tensor(3.0) for task in present}).backward()
        optimizer.step()
        changed = {task for task in TASKS if weighting.weights()[task] != before[task]}
        assert changed == set(present)


def test_it_settles_where_the_weight_is_half_the_inverse_loss():
    """f exp(-s) L = 1/2 at the minimum over s."""
    weighting = Uncertainty(TASKS)
    optimizer = torch.optim.SGD(weighting.parameters(), lr=0.5)
    losses = {"depth": torch.tensor(0.2), "seg": torch.tensor(4.0)}
    for _ in range(200):
        optimizer.zero_grad()
        weighting(losses).backward()
        optimizer.step()
    assert weighting.weights() == pytest.approx({"depth": 0.5 / 0.2, "seg": 0.5 / 4.0}, rel=1e-3)


def test_a_loss_of_0_drives_s_to_its_bound_and_back():
    weighting = Uncertainty("a", forms="regression", largest=2.0)
    optimizer = torch.optim.SGD(weighting.parameters(), lr=1.0)
    for loss, expected in ((0.0, math.exp(2.0) / 2), (100.0, math.exp(-2.0) / 2)):
        for _ in range(20):
            optimizer.zero_grad()
            weighting({"a": torch.tensor(loss)}).backward()
            optimizer.step()
            weighting.observe({"a": loss})
        assert weighting.weights()["a"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("tasks", "options", "match"),
    [
        (TASKS, {"forms": "ordinal"}, r"forms 'by_task' and 'regression', got 'ordinal'"),
        (["a"], {}, r"names \['a'\] alone; give \{name: task\}, or forms=\"regression\""),
        (TASKS, {"initial": 11.0}, "initial=11"),
        (TASKS, {"learning_rate": 0.0}, "learning_rate above 0.*got 0"),
    ],
)
def test_bad_options(tasks, options, match):
    with pytest.raises(ValueError, match=match):
        Uncertainty(tasks, **options)


def test_the_form_is_each_tasks_own_or_regression_for_all():
    assert Uncertainty(TASKS).forms == {"depth": "regression", "seg": "classification"}
    assert set(Uncertainty(TASKS, forms="regression").forms.values()) == {"regression"}
