"""Curves of detectors as pictures."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from taskweave.metrics import Curve
from taskweave.reporting import curve_charts, draw_curves

PRECISION = Curve("car", (0.2, 0.5, 0.5), (1.0, 0.9, 0.4), "recall", "precision")
MISS = Curve("car", (0.0, 0.05, 2.0), (0.9, 0.5, 0.0), "false positives per image", "miss rate", logarithmic=True)


def test_a_panel_for_each_kind_and_class_with_a_line_per_method(tmp_path: Path) -> None:
    one = np.asarray(Image.open(draw_curves({"single": [PRECISION]}, tmp_path / "one.png")).convert("RGB"))
    two = np.asarray(
        Image.open(draw_curves({"single": [PRECISION, MISS], "shared": [MISS]}, tmp_path / "two.png")).convert("RGB")
    )
    assert two.shape[1] == 2 * one.shape[1] and two.shape[0] == one.shape[0]
    blue, vermillion = (0, 114, 178), (213, 94, 0)
    assert (one == blue).all(-1).any() and not (one == vermillion).all(-1).any()
    half = two.shape[1] // 2
    assert not (two[:, :half] == vermillion).all(-1).any() and (two[:, half:] == vermillion).all(-1).any()


def test_miss_rates_are_written_as_plain_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(curve_charts, "save_figure", lambda figure, path: drawn.append(figure) or path)
    draw_curves({"single": [MISS]}, tmp_path / "a.png")
    axes = drawn[0].axes[0]
    drawn[0].draw_without_rendering()
    written = {label.get_text() for label in axes.get_yticklabels(which="both")}
    assert {"0.01", "0.1", "0.5"} <= written and not any("10^" in text for text in written)


def test_methods_without_a_curve_are_not_in_the_legend_and_change_no_style(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(curve_charts, "save_figure", lambda figure, path: drawn.append(figure) or path)
    draw_curves({"ours": [MISS], "of another task": [], "shared": [MISS]}, tmp_path / "a.png")
    assert [text.get_text() for text in drawn[0].legends[0].get_texts()] == ["ours", "shared"]
    assert [line.get_color() for line in drawn[0].axes[0].lines] == ["#0072B2", "#009E73"]  # the first and the third


def test_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no curves to draw: none of the methods \['single'\]"):
        draw_curves({"single": []}, tmp_path / "none.png")
    assert not list(tmp_path.iterdir())
