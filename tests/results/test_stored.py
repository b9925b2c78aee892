"""Gains of stored runs: read from their folders, paired only where the images are the same."""

from pathlib import Path

import numpy as np
import pytest
from experiments.tiny import Told
from results.rows import comparison, row

from taskweave.metrics.depth import DepthImages
from taskweave.results.comparison import ComparisonResult, Gain, Row
from taskweave.results.gains import with_gains
from taskweave.results.image_statistics import IMAGES, keep_images

KEYS = [f"image {number}" for number in range(60)]


def depth_row(method: str, seed: int, folder: Path, *, error: float, keys: list[str] = KEYS) -> Row:
    """A row whose run stores the errors of as many images as there are keys, `error` metres in the mean."""
    generator = np.random.default_rng(seed)
    errors = generator.gamma(4.0, size=len(keys))
    errors *= error / errors.mean()
    sums = np.stack([errors, errors, errors**2, np.ones(len(keys))], -1)
    own = folder / "runs" / f"{method}-{seed}"
    own.mkdir(parents=True)
    keep_images({"depth": DepthImages(sums)}, {"depth": keys}, own)
    return row(method, seed, miou=None, pixacc=None, error=error)


def of_depth(result: ComparisonResult) -> Gain:
    return next(gain for gain in result.gains if (gain.method, gain.task) == ("nddr", "depth"))


@pytest.fixture
def result(tmp_path: Path) -> ComparisonResult:
    errors = {"single": (2.0, 2.5), "nddr": (1.5, 2.0)}
    rows = [depth_row(method, seed, tmp_path, error=e) for method, of in errors.items() for seed, e in enumerate(of)]
    return comparison(*rows)


def test_every_gain_has_its_interval_within_each_seed(result: ComparisonResult, tmp_path: Path) -> None:
    found = with_gains(result, tmp_path)
    assert [gain.kind for gain in found.gains] == ["metric", "task_mean", "flat_mean"]
    depth = of_depth(found)
    assert depth.value == pytest.approx(0.5)
    for seed in depth.seeds:
        # all errors are those of the baseline times 1.5/2 or 2/2.5: differences vary as much as the errors do
        assert seed.low is not None and seed.high is not None
        assert 0.3 < seed.low < seed.value < seed.high < 0.7
    relative = found.gains[1]
    for seed, ratio in zip(relative.seeds, (1.5 / 2.0, 2.0 / 2.5), strict=True):
        # every image errs by the same factor: the relative gain does not depend on which were drawn
        assert (seed.value, seed.low, seed.high) == pytest.approx((100 * (1 - ratio),) * 3)
    assert with_gains(result, tmp_path).gains == found.gains, "the same comparison, the same intervals"
    assert found.rows == result.rows


def test_runs_tested_on_other_images_are_not_paired(tmp_path: Path) -> None:
    rows = [depth_row("single", 0, tmp_path, error=2.0), depth_row("nddr", 0, tmp_path, error=1.5, keys=KEYS[::-1])]
    (seed,) = of_depth(with_gains(comparison(*rows), tmp_path)).seeds
    assert (seed.value, seed.low, seed.high) == (0.5, None, None)


def test_numbers_of_other_weights_have_no_interval(result: ComparisonResult, tmp_path: Path) -> None:
    metrics = {**result.rows[0].metrics, "depth": {"abs": 2.2}}
    moved = (result.rows[0].model_copy(update={"metrics": metrics}), *result.rows[1:])
    seeds = of_depth(with_gains(result.model_copy(update={"rows": moved}), tmp_path)).seeds
    assert [seed.low is None for seed in seeds] == [True, False]


def test_without_stored_images_gains_have_no_interval_within_a_seed(tmp_path: Path) -> None:
    depth = of_depth(with_gains(comparison(row("single"), row("nddr", error=1.0)), tmp_path))
    assert (depth.value, depth.seeds[0].low) == (1.0, None)


def test_a_damaged_file_costs_its_interval_and_is_told(result: ComparisonResult, tmp_path: Path) -> None:
    (tmp_path / "runs" / "nddr-0" / IMAGES).write_bytes(b"PK damaged")
    told = Told()
    seeds = of_depth(with_gains(result, tmp_path, progress=told)).seeds
    assert [seed.low is None for seed in seeds] == [True, False]
    assert len(told.notes) == 1
    assert "is damaged" in told.notes[0] and "nddr-0" in told.notes[0]


def test_progress_is_shown_where_it_takes_long(
    result: ComparisonResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick, long = Told(), Told()
    with_gains(result, tmp_path, progress=quick)
    assert quick.begun == []
    monkeypatch.setattr("taskweave.results.gains._QUIET", 0.0)
    with_gains(result, tmp_path, progress=long)
    assert long.begun == [("resampling test images", 4)]
    assert long.steps == 3, "the first was over before it was shown"


def test_only_what_is_paired_is_read(result: ComparisonResult, tmp_path: Path) -> None:
    for seed in range(2):
        (tmp_path / "runs" / f"nddr-{seed}" / IMAGES).write_bytes(b"damaged")
    alone = result.model_copy(update={"rows": tuple(r for r in result.rows if (r.method, r.seed) != ("single", 1))})
    told = Told()
    with_gains(alone, tmp_path, progress=told)
    assert len(told.notes) == 1, "the run of seed 1 has no baseline"
