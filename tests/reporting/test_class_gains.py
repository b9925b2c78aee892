"""Gains by class: sorted by labels, the means over the fewest by hand, and what is drawn."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image

from taskweave.reporting import bar_charts
from taskweave.reporting.bar_charts import draw_class_gains
from taskweave.results.class_gains import ClassGain, gains_by_class, least_labelled

LABELS = {"wall": 9000, "bag": 3, "board": 40, "never": 0}
BASE = {0: {"wall": 50.0, "bag": 2.0, "board": 10.0, "never": None}, 1: {"wall": 52.0, "bag": 1.0, "board": None}}
OURS = {
    0: {"wall": 51.0, "bag": 8.0, "board": 9.0, "never": 4.0},
    1: {"wall": 52.5, "bag": 5.0, "board": 20.0},
    2: {"bag": 99.0},
}


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    figures: list[Figure] = []
    monkeypatch.setattr(bar_charts, "save_figure", lambda figure, path: figures.append(figure) or path)
    return figures


def test_classes_by_labels_with_the_gain_of_every_seed_that_both_have() -> None:
    gains = gains_by_class(OURS, BASE, LABELS)
    assert [(gain.name, gain.labels) for gain in gains] == [("never", 0), ("bag", 3), ("board", 40), ("wall", 9000)]
    assert [gain.seeds for gain in gains] == [(), (6.0, 4.0), (-1.0,), (1.0, 0.5)]
    assert [gain.mean for gain in gains] == [None, 5.0, -1.0, 0.75]
    lower = gains_by_class(OURS, BASE, LABELS, lower=True)
    assert [gain.seeds for gain in lower] == [(), (-6.0, -4.0), (1.0,), (-1.0, -0.5)]


def test_means_over_the_least_labelled_by_hand() -> None:
    gains = [ClassGain(f"c{labels}", labels, (float(labels),)) for labels in (5, 1, 3, 2, 4, 0)]
    assert least_labelled(gains, 2) == 1.5 and least_labelled(gains, 5) == 3.0
    assert least_labelled(gains, 6) is None, "a class without labels does not count"
    unmeasured = [ClassGain("x", 1, ()), *gains]
    assert least_labelled(unmeasured, 2) == 1.5, "nor one without a gain"


def test_bars_labels_and_means_are_drawn(kept: list[Figure]) -> None:
    many = [ClassGain(f"$class_{i}", 10 * 2**i, (i - 3.0, i - 1.0)) for i in range(12)]
    few = [ClassGain("a", 5, (2.0,)), ClassGain("b", 9, (-1.0,)), ClassGain("unseen", 0, ())]
    draw_class_gains({"ours": many, "nothing": [ClassGain("a", 1, ())], "<b>": few}, Path("a.png"), metric="IoU")
    first, second, *twins = kept[0].axes
    assert [bar.get_height() for bar in first.patches] == [i - 2.0 for i in range(12)]
    points = first.lines[0]
    assert list(points.get_ydata()) == [value for i in range(12) for value in (i - 3.0, i - 1.0)]
    # ten fewest: classes 0 to 9, whose gains -2 .. 7 have the mean 2.5; all twelve: -2 .. 9, 3.5; there are no twenty
    title = " ".join(first.get_title().split())
    assert title == "ours: mean gain +2.50 over the 10 with the fewest labels, +3.50 over all 12"
    assert " ".join(second.get_title().split()) == "<b>: mean gain +0.50 over all 2"
    assert [tick.get_text() for tick in second.get_xticklabels()] == ["a", "b"], "what nobody labels is left out"
    counts = [list(axes.lines[0].get_ydata()) for axes in twins]
    assert counts == [[10 * 2**i for i in range(12)], [5, 9]]
    assert [axes.get_yscale() for axes in twins] == ["log", "linear"]


def test_files_and_refusals(tmp_path: Path) -> None:
    path = draw_class_gains({"ours": gains_by_class(OURS, BASE, LABELS)}, tmp_path / "a.png", metric="IoU")
    assert Image.open(path).width > 400 and path.with_suffix(".svg").is_file()
    with pytest.raises(ValueError, match=r"no method of \['x'\] has a class that the baseline has too"):
        draw_class_gains({"x": [ClassGain("a", 1, ())]}, tmp_path / "b.png", metric="IoU")
    assert not (tmp_path / "b.png").exists()
