"""Gains as bars: values, intervals and seeds as they are in the table."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image

from taskweave.reporting import bar_charts
from taskweave.reporting.bar_charts import gain_bars
from taskweave.reporting.tables import table_of
from taskweave.results.comparison import ComparisonResult, Gain, Row, SeedGain

HOSTILE = "<b>&$x_1$"


def result(values: dict[str, tuple[float, ...]]) -> ComparisonResult:
    """values: {method: percent of gain with each seed}; the baseline scores 10."""
    rows = [
        Row(method=method, seed=seed, metrics={"t": {"m": 10.0 * (1 + value / 100)}}, directions={"t": {"m": "higher"}},
            parameters=1, flops=1, recipe_hash="h")
        for method, of in {"single": (0.0, 0.0), **values}.items()
        for seed, value in enumerate(of)
    ]  # fmt: skip
    gains = tuple(
        Gain(
            method=method,
            kind="task_mean",
            value=sum(of) / len(of),
            seeds=tuple(SeedGain(seed=seed, value=value) for seed, value in enumerate(of)),
            low=min(of) - 1.0,
            high=max(of) + 1.0,
        )
        for method, of in values.items()
    )
    return ComparisonResult(
        name="n", recipe={}, recipe_hash="h", taskweave_version="0", rows=tuple(rows), baseline="single", gains=gains
    )


def test_bars_whiskers_and_points(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Figure] = []
    monkeypatch.setattr(bar_charts, "save_figure", lambda figure, path: kept.append(figure) or path)
    values = {HOSTILE: (4.0, 6.0), "worse": (-3.0, -1.0)}
    gain_bars(table_of(result(values)), Path("a.png"), seeds=values)
    (axes,) = kept[0].axes
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([5.0, -2.0])
    assert [bool(bar.get_hatch()) for bar in axes.patches] == [False, True], "losses not by their colour alone"
    assert [tick.get_text() for tick in axes.get_yticklabels()] == list(values)
    whiskers = [tuple(line.get_xdata()) for line in axes.lines if line.get_marker() == "|"]
    assert whiskers == [(3.0, 7.0), (-4.0, 0.0)]
    points = [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines if line.get_marker() == "o"]
    assert points == [(4.0, 0), (6.0, 0), (-3.0, 1), (-1.0, 1)]
    assert "95 % interval; points: seeds" in axes.get_xlabel()


def test_a_chart_grows_with_its_methods(tmp_path: Path) -> None:
    few = Image.open(gain_bars(table_of(result({"a": (1.0,)})), tmp_path / "few.png"))
    many = Image.open(gain_bars(table_of(result(dict.fromkeys("abcdef", (1.0,)))), tmp_path / "many.png"))
    assert many.width == few.width == 840
    assert many.height > few.height
    with pytest.raises(ValueError, match="no method beside its baseline"):
        gain_bars(table_of(result({})), tmp_path / "none.png")
