"""Results as JSON, and the numbers of a table, against arithmetic by hand."""

import json
import math
from pathlib import Path

import pytest

from taskweave.results.comparison import SCHEMA_VERSION, ComparisonResult, Mark, Row
from taskweave.results.summary import summarise


def row(method: str, seed: int, miou: float | None, error: float) -> Row:
    return Row(
        method=method,
        seed=seed,
        metrics={"segmentation": {"mIoU": miou}, "depth": {"abs": error}},
        directions={"segmentation": {"mIoU": "higher"}, "depth": {"abs": "lower"}},
        parameters=10,
        flops=20,
        seconds_per_step=0.5 + seed,
        recipe_hash="0",
    )


def result(*rows: Row) -> ComparisonResult:
    return ComparisonResult(name="x", recipe={}, recipe_hash="1", taskweave_version="0", rows=rows)


def test_mean_spread_and_gain() -> None:
    table = summarise(
        result(row("single", 0, 40, 2.0), row("nddr", 0, 44, 1.5), row("single", 1, 20, 1.0), row("nddr", 1, 30, 1.5))
    )
    single, nddr = table
    miou, error = nddr.cells
    assert (miou.mean, error.mean) == (37.0, 1.5)
    assert miou.spread == pytest.approx(math.sqrt(98))  # of 44 and 30: sqrt(((7)^2 + (7)^2) / 1)
    assert miou.gain == pytest.approx((4 + 10) / 2)
    assert error.gain == pytest.approx((0.5 - 0.5) / 2)  # lower is better: + where it fell
    # per seed, tasks averaged: (4/40 + .5/2)/2 = .175; (10/20 - .5/1)/2 = 0; mean .0875
    assert nddr.relative_gain == pytest.approx(8.75)
    assert single.relative_gain is None
    assert all(cell.gain is None for cell in single.cells)
    assert nddr.seconds_per_step == 1.0


def test_one_seed_has_no_spread_and_gains_pair_seeds() -> None:
    _, nddr = summarise(result(row("single", 0, 40, 2.0), row("nddr", 1, 44, 1.5)))
    assert nddr.cells[0].spread is None
    assert nddr.cells[0].gain is None  # no seed in common


def test_undefined_numbers_are_left_out() -> None:
    _, nddr = summarise(result(row("single", 0, 40, 2.0), row("nddr", 0, None, 1.0)))
    assert nddr.cells[0].mean is None
    assert nddr.relative_gain == pytest.approx(50.0)  # of depth alone


def test_json_round_trip_without_nan(tmp_path: Path) -> None:
    marked = row("single", 0, math.nan, 2.0).model_copy(update={"marks": (Mark(task="depth", metric="abs", reason="r"),)})
    path = tmp_path / "comparison.json"
    result(marked).save(path)
    content = json.loads(path.read_text())
    assert content["schema_version"] == SCHEMA_VERSION == 2
    assert content["rows"][0]["metrics"]["segmentation"]["mIoU"] is None
    assert ComparisonResult.load(path) == result(marked)
    assert not list(tmp_path.glob("*.part"))


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "comparison.json"
    result().model_copy(update={"schema_version": 99}).save(path)
    with pytest.raises(ValueError, match="schema version 99"):
        ComparisonResult.load(path)


def test_rows_of_an_unknown_method() -> None:
    with pytest.raises(KeyError, match="the methods with rows are"):
        result(row("single", 0, 1, 1)).rows_of("nddr")
