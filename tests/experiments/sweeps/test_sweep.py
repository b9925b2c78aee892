"""What a sweep adds to its comparison: the axis, from which a report draws one chart."""

from pathlib import Path

import pytest
from experiments.tiny import Told, tiny

from taskweave.experiments.comparison import Comparison
from taskweave.experiments.estimating import Estimate
from taskweave.experiments.sweeps import sweep as sweeping
from taskweave.experiments.sweeps.axes import axis_named
from taskweave.reporting import write_charts
from taskweave.results.comparison import ComparisonResult, Row
from taskweave.results.folder import STRICT

SWEEP = axis_named("unit").of(tiny(), values=["nddr"])


def compared(monkeypatch: pytest.MonkeyPatch, folder: Path, *, single: float | None) -> Comparison:
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
    (folder / "x").mkdir()
    there = Comparison(result, folder / "x", Estimate(0, (), 0.0), "finished")
    monkeypatch.setattr(sweeping, "compare", lambda *given, **options: there)
    return sweeping.sweep(SWEEP, folder=folder)


def test_the_axis_is_kept_and_drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    done, told = compared(monkeypatch, tmp_path, single=20.0), Told()
    assert ComparisonResult.load(done.folder / "comparison.json").sweep == done.result.sweep == SWEEP.swept
    chart = tmp_path / "x" / "charts" / "sweep-unit.png"
    assert chart in write_charts(done.folder, progress=told)
    assert chart.is_file() and told.notes == []


def test_a_chart_that_cannot_be_drawn_is_noted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(STRICT, raising=False)
    done, told = compared(monkeypatch, tmp_path, single=None), Told()
    assert done.result.methods == ("single", "NDDR")
    assert not [path for path in write_charts(done.folder, progress=told) if "sweep" in path.name]
    assert told.notes and told.notes[0].startswith("could not draw the sweep (ValueError: nothing to draw")
