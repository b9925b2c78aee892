"""delta-m in its conventions."""

import math

import pytest

from taskweave.metrics import metric_gains, relative_gain

BASE = {"A": {"first": 96.0, "second": 98.0}, "B": {"only": 0.2}}
NEW = {"A": {"first": 93.0, "second": 99.0}, "B": {"only": 0.5}}
DIRECTIONS = {"A": {"first": "higher", "second": "lower"}, "B": {"only": "higher"}}


def test_golden() -> None:
    task_mean = relative_gain(NEW, BASE, DIRECTIONS)
    flat_mean = relative_gain(NEW, BASE, DIRECTIONS, kind="flat_mean")
    assert task_mean == pytest.approx(0.73964, abs=5e-6)
    assert flat_mean == pytest.approx((-3 / 96 - 1 / 98 + 1.5) / 3)
    assert -flat_mean == pytest.approx(-0.486182, abs=5e-7)  # the sign that Nash-MTL prints
    assert len({round(value, 3) for value in (task_mean, flat_mean, -task_mean, -flat_mean)}) == 4


def test_gains_of_each_metric() -> None:
    gains = metric_gains(NEW, BASE, DIRECTIONS)
    assert gains["A"] == pytest.approx({"first": -3 / 96, "second": -1 / 98})
    assert gains["B"] == pytest.approx({"only": 1.5})


def test_no_change_is_zero_and_better_is_positive() -> None:
    assert relative_gain(BASE, BASE, DIRECTIONS) == 0
    assert relative_gain({"B": {"only": 0.3}}, BASE, {"B": {"only": "higher"}}) == pytest.approx(0.5)
    assert relative_gain({"B": {"only": 0.1}}, BASE, {"B": {"only": "lower"}}) == pytest.approx(0.5)


def test_only_the_metrics_asked_for_count() -> None:
    assert relative_gain(NEW, BASE, {"B": {"only": "higher"}}) == pytest.approx(1.5)


@pytest.mark.parametrize("base", [0.0, math.nan])
def test_no_base_no_gain(base: float) -> None:
    broken = {**BASE, "B": {"only": base}}
    assert math.isnan(metric_gains(NEW, broken, DIRECTIONS)["B"]["only"])
    assert metric_gains(NEW, broken, DIRECTIONS)["A"]["first"] == pytest.approx(-3 / 96)
    assert math.isnan(relative_gain(NEW, broken, DIRECTIONS))
    assert math.isnan(relative_gain(NEW, broken, DIRECTIONS, kind="flat_mean"))


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"the new scores have no metric 'second' of task 'A'; .* \{'A': \['first'\]"):
        relative_gain({"A": {"first": 1.0}}, BASE, DIRECTIONS)
    with pytest.raises(ValueError, match="the base scores have no metric 'first'"):
        relative_gain(NEW, {}, DIRECTIONS)
    with pytest.raises(ValueError, match="got 'median'"):
        relative_gain(NEW, BASE, DIRECTIONS, kind="median")
    with pytest.raises(ValueError, match='"higher" or "lower", got \'up\''):
        relative_gain(NEW, BASE, {"B": {"only": "up"}})
    with pytest.raises(ValueError, match="at least one metric"):
        relative_gain(NEW, BASE, {"A": {}})
