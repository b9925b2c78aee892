"""DWA against its formula, written out, and against the golden values."""

import math

import pytest
import torch

from taskweave.weighting import DynamicWeightAverage


def after(weighting, *epochs):
    """The weighting after epochs of steps: [[{task: loss}, ...], ...]."""
    for steps in epochs:
        for losses in steps:
            weighting.observe(losses)
        weighting.end_epoch()
    return weighting


def test_golden_values():
    """r = (.5, 1, 1.1) at T = 2."""
    weighting = after(DynamicWeightAverage("abc"), [{"a": 2.0, "b": 3.0, "c": 1.0}], [{"a": 1.0, "b": 3.0, "c": 1.1}])
    found = [round(weight, 4) for weight in weighting.weights().values()]
    assert found == [0.8256, 1.0600, 1.1144]
    weighting = after(DynamicWeightAverage("ab"), [{"a": 1.0, "b": 1.0}], [{"a": 0.9, "b": 1.1}])
    assert [round(weight, 5) for weight in weighting.weights().values()] == [0.95004, 1.04996]


def test_weights_are_1_in_the_first_two_epochs_and_fall_back_to_no_later_ones():
    weighting = DynamicWeightAverage("ab")
    seen = [weighting.weights()]
    for a, b in ((4.0, 1.0), (2.0, 1.0), (1.0, 1.0)):
        after(weighting, [{"a": a, "b": b}])
        seen.append(weighting.weights())
    assert seen[0] == seen[1] == {"a": 1.0, "b": 1.0}
    expected = 2 * math.exp(0.25) / (math.exp(0.25) + math.exp(0.5))  # both ratios of a are 1/2
    assert seen[2]["a"] == seen[3]["a"] == pytest.approx(expected) and sum(seen[2].values()) == pytest.approx(2.0)


def test_epoch_means_are_over_the_labelled_batches():
    """b: (1 + 5) / 2 = 3 in the first epoch, 6 in the second; as if the empty batches were not there."""
    gappy = after(
        DynamicWeightAverage("ab"),
        [{"a": 1.0, "b": 1.0}, {"a": 3.0}, {"a": 2.0, "b": 5.0}],
        [{"a": 2.0}, {"b": 6.0}],
    )
    raw = [math.exp(r / 2) for r in (2.0 / 2.0, 6.0 / 3.0)]
    assert list(gappy.weights().values()) == pytest.approx([2 * x / sum(raw) for x in raw])


def test_an_epoch_without_a_task_leaves_its_history():
    """b is not seen in the second epoch: its ratio waits; in the third it is 2 / 4."""
    weighting = after(DynamicWeightAverage("ab"), [{"a": 1.0, "b": 4.0}], [{"a": 0.5}])
    raw = [math.exp(0.25), math.exp(0.5)]  # r of b is 1
    assert list(weighting.weights().values()) == pytest.approx([2 * x / sum(raw) for x in raw])
    after(weighting, [{"a": 0.5, "b": 2.0}])
    raw = [math.exp(0.5), math.exp(0.25)]
    assert list(weighting.weights().values()) == pytest.approx([2 * x / sum(raw) for x in raw])


def test_temperature_evens_out():
    epochs = [{"a": 1.0, "b": 1.0}], [{"a": 0.1, "b": 1.0}]
    found = [after(DynamicWeightAverage("ab", temperature=t), *epochs).weights()["a"] for t in (0.5, 2.0, 1e6)]
    assert found[0] < found[1] < found[2] == pytest.approx(1.0, abs=1e-6)


def test_pre_weights_multiply_and_the_sum_stays_k():
    weighting = DynamicWeightAverage("abc", pre_weights={"a": 0.3, "c": 2.0})
    assert weighting.weights() == {"a": 0.3, "b": 1.0, "c": 2.0}
    after(weighting, [{"a": 1.0, "b": 1.0, "c": 1.0}], [{"a": 0.5, "b": 1.0, "c": 1.1}])
    raw = [p * math.exp(r / 2) for p, r in ((0.3, 0.5), (1.0, 1.0), (2.0, 1.1))]
    assert list(weighting.weights().values()) == pytest.approx([3 * x / sum(raw) for x in raw])


def test_per_iteration_as_the_pet_code():
    """Raw pre-weights in the first two steps of every epoch, then the ratio of the last two steps."""
    weighting = DynamicWeightAverage("ab", every="iteration", pre_weights={"a": 0.5, "b": 1.5})
    course = [{"a": 1.0, "b": 2.0}, {"a": 0.5, "b": 2.2}, {"a": 0.25, "b": 1.1}]
    for _ in range(2):
        seen = []
        for losses in course:
            seen.append(weighting.weights())
            weighting.observe(losses)
        assert seen[0] == seen[1] == {"a": 0.5, "b": 1.5}
        raw = [0.5 * math.exp(0.5 / 2), 1.5 * math.exp(1.1 / 2)]
        assert list(seen[2].values()) == pytest.approx([2 * x / sum(raw) for x in raw])
        weighting.end_epoch()


def test_the_loss_is_weighed():
    weighting = after(DynamicWeightAverage("ab"), [{"a": 1.0, "b": 1.0}], [{"a": 0.9, "b": 1.1}])
    assert float(weighting({"a": torch.tensor(2.0)})) == pytest.approx(2 * 0.95004, abs=1e-4)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"temperature": 0.0}, "temperature above 0, got 0"),
        ({"pre_weights": {"x": 1.0}}, r"tasks \['a', 'b'\], got \{'x'"),
        ({"pre_weights": {"a": -1.0}}, "positive numbers"),
    ],
)
def test_bad_options(options, match):
    with pytest.raises(ValueError, match=match):
        DynamicWeightAverage("ab", **options)
