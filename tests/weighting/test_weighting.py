"""The contract of every weighting, and the values of those that exist."""

import pytest
import torch

from taskweave.weighting.fixed import Fixed

WEIGHTINGS = {"fixed": lambda: Fixed({"a": 2.0, "b": 0.5})}


def losses(**values):
    return {name: torch.tensor(value, requires_grad=True) for name, value in values.items()}


@pytest.mark.parametrize("build", WEIGHTINGS.values(), ids=WEIGHTINGS)
class TestContract:
    def test_state_survives_a_checkpoint(self, build, tmp_path):
        one, other = build(), build()
        for step in range(3):
            one(losses(a=1.0 + step, b=2.0))
        torch.save(one.state_dict(), tmp_path / "state.pt")
        other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
        given = losses(a=3.0, b=4.0)
        assert torch.equal(one(given), other(given)) and one.weights() == other.weights()

    def test_a_missing_task_is_allowed(self, build):
        given = losses(b=4.0)
        total = build()(given)
        total.backward()
        assert total.ndim == 0 and given["b"].grad is not None

    def test_one_task_is_that_loss_times_its_weight(self, build):
        weighting = build()
        assert float(weighting(losses(a=3.0))) == pytest.approx(3.0 * weighting.weights()["a"])

    def test_every_task_has_a_weight_for_the_log(self, build):
        weights = build().weights()
        assert set(weights) == {"a", "b"} and all(isinstance(weight, float) for weight in weights.values())

    def test_no_losses_are_refused(self, build):
        with pytest.raises(ValueError, match="no losses"):
            build()({})


def test_fixed_is_the_weighted_sum():
    given = losses(a=3.0, b=4.0)
    total = Fixed({"a": 2.0, "b": 0.5})(given)
    total.backward()
    assert float(total) == 8.0 and float(given["a"].grad) == 2.0 and float(given["b"].grad) == 0.5


def test_fixed_names_a_task_without_a_weight():
    with pytest.raises(KeyError, match=r"'c'.*weights are for \['a', 'b'\]"):
        Fixed({"a": 1.0, "b": 1.0})(losses(c=1.0))
