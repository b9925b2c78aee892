"""Metrics as bars: as long as their values, the baseline and the constant told apart."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image

from taskweave.reporting import bar_charts as module
from taskweave.reporting.bar_charts import metric_bars
from taskweave.reporting.tables import table_of
from taskweave.results.comparison import ComparisonResult, Row

VALUES = {"single": (20.0, 0.5), "ours": (30.0, None), "other": (10.0, 0.25)}


def result(values: dict[str, tuple[float, float | None]]) -> ComparisonResult:
    rows = [
        Row(
            method=method,
            seed=0,
            metrics={"segmentation": {"mIoU": miou}, "depth": {"abs": error}},
            directions={"segmentation": {"mIoU": "higher"}, "depth": {"abs": "lower"}},
            parameters=1,
            flops=1,
            seconds_per_step=1.0,
            steps=1,
            recipe_hash="0",
            runs=("0",),
        )
        for method, (miou, error) in values.items()
    ]
    return ComparisonResult(
        name="a",
        recipe={},
        recipe_hash="0",
        taskweave_version="0",
        baseline="single",
        rows=tuple(rows),
        constant={"segmentation": {"mIoU": 5.0}, "depth": {"abs": 0.75}},
    )


def drawn(values: dict[str, tuple[float, float | None]], monkeypatch: pytest.MonkeyPatch) -> Figure:
    kept: list[Figure] = []
    monkeypatch.setattr(module, "save_figure", lambda figure, path: kept.append(figure) or path)
    metric_bars(table_of(result(values)), Path("unused.png"))
    return kept[0]


def test_bars_are_as_long_as_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    panels = drawn(VALUES, monkeypatch).axes
    assert [axes.get_title() for axes in panels] == ["segmentation mIoU ↑", "depth abs ↓"]
    widths = [[bar.get_width() for bar in axes.patches] for axes in panels]
    assert widths == [[20.0, 30.0, 10.0], [0.5, 0.0, 0.25]]
    assert [label.get_text() for label in panels[0].get_yticklabels()] == list(VALUES)


def test_the_baseline_and_the_constant_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = drawn(VALUES, monkeypatch).axes
    colours = [bar.get_facecolor() for bar in first.patches]
    assert colours[0] != colours[1] == colours[2]
    dotted = [line.get_xdata()[0] for axes in (first, second) for line in axes.lines if line.get_linestyle() == ":"]
    assert dotted == [5.0, 0.75]


def test_a_png_is_written_and_a_table_without_numbers_refused(tmp_path: Path) -> None:
    path = metric_bars(table_of(result(VALUES)), tmp_path / "metrics.png")
    assert Image.open(path).width > 400
    with pytest.raises(ValueError, match="no metrics to draw: the table 'a' has 0 for 0 methods"):
        metric_bars(table_of(result({})), tmp_path / "none.png")
