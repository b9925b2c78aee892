"""Weights that stay; what every weighting is told when it is given the wrong tasks."""

import pytest
import torch

from taskweave.weighting import Fixed


def losses(**values):
    return {name: torch.tensor(value, requires_grad=True) for name, value in values.items()}


def test_fixed_is_the_weighted_sum():
    given = losses(a=3.0, b=4.0)
    total = Fixed("ab", weights={"a": 2.0, "b": 0.5})(given)
    total.backward()
    assert float(total.detach()) == 8.0 and float(given["a"].grad) == 2.0 and float(given["b"].grad) == 0.5


def test_fixed_names_a_task_without_a_weight():
    with pytest.raises(KeyError, match=r"'c'.*weights are for \['a', 'b'\]"):
        Fixed("ab")(losses(c=1.0))


def test_what_is_not_named_is_1_and_others_are_refused():
    assert Fixed("ab", weights={"b": 0.5}).weights() == {"a": 1.0, "b": 0.5}
    with pytest.raises(
        ValueError, match=r"weights should be finite numbers for some of the tasks \['a'\], got \{'c': 1.0\}"
    ):
        Fixed("a", weights={"c": 1.0})


def test_a_training_without_a_weighting_is_known_as_before():
    assert Fixed("a").determining() == {}
