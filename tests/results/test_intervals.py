"""The bootstrap over test images, on simulated images whose true gain is known."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from results.simulated import Errors, World

from taskweave.metrics.gain import Direction, relative_gain
from taskweave.metrics.per_image import PerImage
from taskweave.results.intervals import (
    Interval,
    Resampled,
    metric_interval,
    percentiles,
    relative_interval,
    resample,
)

DIRECTIONS: dict[str, dict[str, Direction]] = {"depth": {"abs": "lower"}, "segmentation": {"mIoU": "higher"}}
EXPERIMENTS, RESAMPLES, IMAGES = 400, 300, 200


def known(interval: Interval | None) -> Interval:
    assert interval is not None
    return interval


def experiment(world: World, number: int) -> tuple[dict[str, Resampled], dict[str, Resampled]]:
    """Both methods on the images of one experiment, resampled."""
    base, new = world.draw(IMAGES, np.random.default_rng([7, number]))
    images = f"images of experiment {number}"
    return tuple({name: resample(each, images, resamples=RESAMPLES) for name, each in of.items()} for of in (base, new))  # type: ignore[return-value]


def within_binomial_bounds(covered: NDArray[np.bool_]) -> bool:
    """Whether the share of intervals that hold the truth is .95, give or take three standard deviations."""
    return abs(covered.mean() - 0.95) <= 3 * math.sqrt(0.95 * 0.05 / len(covered))


def test_intervals_hold_a_known_gain_at_their_nominal_rate() -> None:
    world = World()
    truths = {"mean": world.gain_abs, "ratio": world.gain_miou, "relative": world.relative}
    found: dict[str, list[Interval]] = {kind: [] for kind in truths}
    for number in range(EXPERIMENTS):
        base, new = experiment(world, number)
        found["mean"].append(known(metric_interval(new["depth"], base["depth"], "abs", "lower")))
        found["ratio"].append(known(metric_interval(new["segmentation"], base["segmentation"], "mIoU", "higher")))
        found["relative"].append(known(relative_interval(new, base, DIRECTIONS, kind="task_mean")))
    for kind, truth in truths.items():
        low, high = np.array(found[kind]).T
        assert within_binomial_bounds((low <= truth) & (truth <= high)), kind
        # the check itself finds intervals that are too narrow, or around another number
        middle, quarter = (low + high) / 2, (high - low) / 4
        assert not within_binomial_bounds(np.abs(middle - truth) <= quarter), kind
        assert not within_binomial_bounds((low <= 0.0) & (high >= 0.0)), kind


def test_pairing_makes_intervals_as_narrow_as_the_differences_are() -> None:
    base, new = World().draw(2000, np.random.default_rng(3))
    before, after = base["depth"], new["depth"]
    assert isinstance(before, Errors) and isinstance(after, Errors)
    paired = known(metric_interval(resample(after, "one"), resample(before, "one"), "abs", "lower"))
    unpaired = known(percentiles(resample(before, "one").scores["abs"] - resample(after, "other").scores["abs"]))
    # 2 * 1.96 standard errors: of the differences, and of two means that know nothing of each other
    expected = 3.92 * float(np.std(after.errors - before.errors)) / math.sqrt(2000)
    apart = 3.92 * math.sqrt((np.var(after.errors) + np.var(before.errors)) / 2000)
    assert paired.high - paired.low == pytest.approx(expected, rel=0.1)
    assert unpaired.high - unpaired.low == pytest.approx(apart, rel=0.1)
    assert apart > 1.3 * expected


def test_identical_results_gain_exactly_nothing() -> None:
    base, _ = experiment(World(), 0)
    again, _ = experiment(World(), 0)
    assert metric_interval(again["depth"], base["depth"], "abs", "lower") == (0.0, 0.0)
    for kind in ("task_mean", "flat_mean"):
        assert relative_interval(again, base, DIRECTIONS, kind=kind) == (0.0, 0.0)  # type: ignore[arg-type]


def test_the_same_comparison_gives_the_same_interval_and_other_images_another() -> None:
    each = Errors(np.random.default_rng(0).normal(size=50))
    first, again, other = (resample(each, images).scores["abs"] for images in ("a", "a", "b"))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_draws_are_of_as_many_images_and_do_not_depend_on_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    class Seen(PerImage):
        kind = "seen"
        count = 5

        def _scores(self, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
            assert weights.shape[1] == 5
            assert (weights.sum(1) == 5).all()
            assert weights.min() >= 0
            return {"first": weights[:, 0]}

    monkeypatch.setattr("taskweave.results.intervals._AT_ONCE", 500 * 5)
    found = resample(Seen(), "a", resamples=4000)
    assert found.observed == {"first": 1.0}
    assert found.scores["first"].shape == (4000,)
    # how often one image of five is drawn in five draws: binomial, 5 draws at 1/5
    for often in range(4):
        expected = math.comb(5, often) * 0.2**often * 0.8 ** (5 - often)
        assert np.mean(found.scores["first"] == often) == pytest.approx(expected, abs=4 * math.sqrt(expected / 4000))


def test_relative_intervals_are_those_of_the_relative_gain_of_every_resample() -> None:
    values = np.random.default_rng(1).uniform(0.2, 1.0, size=(2, 3, 200))
    directions: dict[str, dict[str, Direction]] = {"A": {"x": "higher", "y": "lower"}, "B": {"z": "higher"}}

    def side(of: NDArray[np.float64]) -> dict[str, Resampled]:
        return {"A": Resampled("i", {}, {"x": of[0], "y": of[1]}), "B": Resampled("j", {}, {"z": of[2]})}

    def numbers(of: NDArray[np.float64]) -> dict[str, dict[str, float]]:
        return {"A": {"x": of[0], "y": of[1]}, "B": {"z": of[2]}}

    found = {}
    for kind in ("task_mean", "flat_mean"):
        pairs = zip(values[0].T, values[1].T, strict=True)
        each = [100 * relative_gain(numbers(new), numbers(base), directions, kind=kind) for base, new in pairs]
        found[kind] = known(relative_interval(side(values[1]), side(values[0]), directions, kind=kind))
        assert found[kind] == pytest.approx(np.quantile(each, [0.025, 0.975]))
    assert found["task_mean"] != pytest.approx(found["flat_mean"], rel=1e-3)


def test_undefined_resamples_are_left_out_unless_they_are_many() -> None:
    values = np.arange(1.0, 101.0)
    assert percentiles(values) == pytest.approx((3.475, 97.525))  # 1 + 99 * .025 and 1 + 99 * .975
    values[:5] = np.nan
    assert percentiles(values) == pytest.approx((6 + 94 * 0.025, 6 + 94 * 0.975))
    values[5] = np.inf
    assert percentiles(values) is None


def test_a_metric_relative_to_nothing_has_no_interval() -> None:
    def side(value: float) -> dict[str, Resampled]:
        return {"A": Resampled("i", {}, {"x": np.full(10, value)})}

    assert relative_interval(side(1.0), side(0.0), {"A": {"x": "higher"}}, kind="task_mean") is None
    assert relative_interval(side(3.0), side(2.0), {"A": {"x": "higher"}}, kind="task_mean") == (50.0, 50.0)


def test_other_images_are_not_paired() -> None:
    each = Errors(np.ones(4))
    one, other, fewer = resample(each, "one"), resample(each, "other"), resample(each, "one", resamples=9)
    with pytest.raises(ValueError, match="'one' and 'other'; measure both runs on one test part"):
        metric_interval(one, other, "abs", "lower")
    with pytest.raises(ValueError, match="'one' and 'other'"):
        relative_interval({"depth": one}, {"depth": other}, {"depth": {"abs": "lower"}}, kind="flat_mean")
    with pytest.raises(ValueError, match=r"equally many resamples, got \[9, 1000\]"):
        metric_interval(one, fewer, "abs", "lower")


@pytest.mark.parametrize(("images", "resamples"), [(0, 1000), (4, 1)])
def test_a_bootstrap_of_nothing(images: int, resamples: int) -> None:
    with pytest.raises(ValueError, match=f"got {images} images, {resamples} resamples"):
        resample(Errors(np.ones(images)), "a", resamples=resamples)
