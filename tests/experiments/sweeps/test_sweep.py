"""What a sweep adds to its comparison: one chart, which costs no numbers where it fails."""

from pathlib import Path

import pytest
from experiments.tiny import Told, tiny

from taskweave.experiments.artifacts.writing import STRICT
from taskweave.experiments.comparison import Comparison
from taskweave.experiments.estimating import Estimate
from taskweave.experiments.sweeps import sweep as sweeping
from taskweave.experiments.sweeps.axes import axis_named
from taskweave.results.comparison import ComparisonResult, Row

SWEPT = axis_named("unit").of(tiny(), values=["nddr"])


def compared(monkeypatch: pytest.MonkeyPatch, folder: Path, *, single: float | None) -> tuple[Comparison, Told]:
    """A sweep whose comparison is there already. single: the baseline's mIoU."""
    rows = tuple(
        Row(
            method=method,
            seed=0,
            metrics={"segmentation": {"mIoU": value}},
            directions={"segmentation": {"mIoU": "higher"}},
            parameters=1,
            flops=1,
            recipe_hash="x",
        )
        for method, value in (("single", single), ("NDDR", 30.0))
    )
    result = ComparisonResult(name="x", recipe={}, recipe_hash="x", taskweave_version="0", rows=rows)
    there = Comparison(result, folder / "x", Estimate(0, (), 0.0), "finished")
    monkeypatch.setattr(sweeping, "compare", lambda *given, **options: there)
    told = Told()
    return sweeping.sweep(SWEPT, folder=folder, progress=told), told


def test_the_chart_is_among_its_pictures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done, told = compared(monkeypatch, tmp_path, single=20.0)
    assert done.pictures == (tmp_path / "x" / "charts" / "sweep-unit.png",)
    assert done.pictures[0].is_file() and told.notes == []


def test_a_chart_that_cannot_be_drawn_is_noted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(STRICT, raising=False)
    done, told = compared(monkeypatch, tmp_path, single=None)
    assert done.result.methods == ("single", "NDDR") and done.pictures == ()
    assert told.notes and told.notes[0].startswith("could not draw the sweep (ValueError: nothing to draw")
