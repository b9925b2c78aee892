"""Every gain of a comparison, against arithmetic by hand."""

import numpy as np
import pytest
from results.rows import comparison, row
from results.simulated import Errors

from taskweave.metrics.gain import relative_gain
from taskweave.results.comparison import Gain
from taskweave.results.gains import gains_of
from taskweave.results.intervals import resample


def by_number(gains: tuple[Gain, ...], method: str = "nddr") -> dict[str, Gain]:
    return {f"{gain.task} {gain.metric}".strip() or gain.kind: gain for gain in gains if gain.method == method}


def test_gains_of_one_seed_by_hand() -> None:
    gains = gains_of(comparison(row("single"), row("nddr", miou=44.0, pixacc=78.0, error=1.5)))
    assert [(gain.kind, gain.task, gain.metric) for gain in gains] == [
        ("metric", "segmentation", "mIoU"), ("metric", "segmentation", "pixacc"), ("metric", "depth", "abs"),
        ("task_mean", "", ""), ("flat_mean", "", ""),
    ]  # fmt: skip
    found = by_number(gains)
    assert found["segmentation mIoU"].value == pytest.approx(4.0)
    assert found["segmentation pixacc"].value == pytest.approx(-2.0)
    assert found["depth abs"].value == pytest.approx(0.5)  # lower is better: + where it fell
    # relative: 4/40 = .1, -2/80 = -.025, .5/2 = .25
    assert found["task_mean"].value == pytest.approx(100 * ((0.1 - 0.025) / 2 + 0.25) / 2)
    assert found["flat_mean"].value == pytest.approx(100 * (0.1 - 0.025 + 0.25) / 3)
    for gain in gains:
        assert (gain.low, gain.high, gain.distinguishable) == (None, None, None)
        assert [(one.seed, one.low, one.high) for one in gain.seeds] == [(0, None, None)]


def test_both_kinds_are_those_of_the_golden_example_and_the_printed_sign_is_the_other() -> None:
    # LibMTL's example, in our words: +.73964; Nash-MTL and CAGrad print minus the flat mean
    base = {"segmentation": {"mIoU": 96.0, "pixacc": None}, "depth": {"abs": 98.0}}
    new = {"segmentation": {"mIoU": 93.0, "pixacc": None}, "depth": {"abs": 99.0}}
    one = row("single").model_copy(update={"metrics": base})
    gains = by_number(gains_of(comparison(one, one.model_copy(update={"method": "nddr", "metrics": new}))))
    assert gains["task_mean"].value == pytest.approx(100 * (-3 / 96 - 1 / 98) / 2)
    directions = {"A": {"a": "higher", "b": "lower"}, "B": {"c": "higher"}}
    before, after = {"A": {"a": 96.0, "b": 98.0}, "B": {"c": 0.2}}, {"A": {"a": 93.0, "b": 99.0}, "B": {"c": 0.5}}
    kinds = [relative_gain(after, before, directions, kind=kind) for kind in ("task_mean", "flat_mean")]  # type: ignore[arg-type]
    assert kinds[0] == pytest.approx(0.73964, abs=5e-6)
    assert len({round(value, 4) for kind in kinds for value in (kind, -kind)}) == 4


def test_seeds_are_paired_and_have_a_t_interval() -> None:
    rows = [row("single", s, miou=m) for s, m in enumerate((40.0, 30.0, 20.0, 99.0))]
    rows += [row("nddr", s, miou=m) for s, m in enumerate((43.0, 32.0, 24.0))]
    miou = by_number(gains_of(comparison(*rows)))["segmentation mIoU"]
    assert [(one.seed, one.value) for one in miou.seeds] == [(0, 3.0), (1, 2.0), (2, 4.0)]
    assert miou.value == pytest.approx(3.0)
    assert (miou.low, miou.high) == pytest.approx((3 - 2.484138, 3 + 2.484138), abs=1e-5)  # 4.302653 / sqrt(3)
    assert miou.distinguishable is True
    two = by_number(gains_of(comparison(*(r for r in rows if r.seed < 2))))["segmentation mIoU"]
    assert (two.low is not None, two.distinguishable) == (True, None)


def test_a_method_identical_to_the_baseline_gains_nothing_with_certainty() -> None:
    rows = [row(method, seed) for method in ("single", "nddr") for seed in range(3)]
    each = {"depth": Errors(np.random.default_rng(0).normal(2.0, 1.0, size=30))}
    scored = {(r.method, r.seed): {name: resample(one, "i") for name, one in each.items()} for r in rows}
    for gain in gains_of(comparison(*rows), scored):
        assert (gain.value, gain.low, gain.high, gain.distinguishable) == (0.0, 0.0, 0.0, False)
    depth = by_number(gains_of(comparison(*rows), scored))["depth abs"]
    assert [(one.low, one.high) for one in depth.seeds] == [(0.0, 0.0)] * 3


def test_intervals_within_a_seed_need_every_metric_by_image_and_the_same_images() -> None:
    generator = np.random.default_rng(0)
    rows = (row("single", miou=None, pixacc=None), row("nddr", miou=None, pixacc=None, error=1.0))
    before, after = Errors(generator.normal(2.0, 0.3, size=50)), Errors(generator.normal(1.0, 0.3, size=50))
    same = {("single", 0): {"depth": resample(before, "i")}, ("nddr", 0): {"depth": resample(after, "i")}}
    found = by_number(gains_of(comparison(*rows), same))
    for name, middle in (("depth abs", 1.0), ("task_mean", 50.0), ("flat_mean", 50.0)):
        low, high = found[name].seeds[0].low, found[name].seeds[0].high
        assert low is not None and high is not None
        assert 0.7 * middle < low < middle < high < 1.3 * middle
    # segmentation is part of the relative gain, but not known by image
    both = by_number(gains_of(comparison(row("single"), row("nddr", error=1.0)), same))
    assert both["depth abs"].seeds[0].low is not None
    assert both["task_mean"].seeds[0].low is None
    # other images: never paired
    other = {**same, ("nddr", 0): {"depth": resample(after, "other")}}
    assert by_number(gains_of(comparison(*rows), other))["depth abs"].seeds[0].low is None


def test_further_tests_have_gains_but_do_not_count_in_the_relative_ones() -> None:
    result = comparison(row("single"), row("nddr", miou=44.0, error=1.0), further=("segmentation",))
    found = by_number(gains_of(result))
    assert found["segmentation mIoU"].value == pytest.approx(4.0)
    assert found["task_mean"].value == pytest.approx(50.0)  # of depth alone


def test_what_is_undefined_is_left_out() -> None:
    found = by_number(gains_of(comparison(row("single", pixacc=0.0), row("nddr", miou=None, pixacc=5.0))))
    assert set(found) == {"segmentation pixacc", "depth abs"}  # nothing can be relative to 0
    assert gains_of(comparison(row("single"))) == ()
    assert gains_of(comparison(row("nddr"))) == (), "no baseline"
    assert gains_of(comparison(row("single", 0), row("nddr", 1))) == (), "no seed in common"
