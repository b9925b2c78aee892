"""What the monitor wrote comes back as curves, and is drawn as PNG and SVG."""

import numpy as np
import pytest

from taskweave.reporting import curve_charts
from taskweave.reporting.curve_charts import _looks, cosine_map, gap_curves
from taskweave.results.run_files import read_cosines, read_gaps

LOG = (
    "step,gap.seg,gap.depth,cosine.layer1.seg|depth,cosine.a.x+b.y.seg|depth\n"
    "20,0.1,,,\n40,0.2,-0.05,,\n50,,,0.25,-0.5\n100,0.3,-0.1,0.5,\n"
)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "monitor.csv"
    path.write_text(LOG)
    return path


def test_gaps_and_cosines_are_read_by_task_and_place(log):
    assert read_gaps(log) == {"seg": ([20, 40, 100], [0.1, 0.2, 0.3]), "depth": ([40, 100], [-0.05, -0.1])}
    assert read_cosines(log) == {"seg and depth": {"layer1": ([50, 100], [0.25, 0.5]), "a.x+b.y": ([50], [-0.5])}}


def test_a_map_has_a_row_per_place_and_leaves_open_what_is_not_defined(log):
    steps, values = _looks(read_cosines(log)["seg and depth"])
    assert steps == [50, 100]
    np.testing.assert_array_equal(values, [[0.25, 0.5], [-0.5, np.nan]])


def test_a_map_says_each_places_mean_and_few_looks_their_numbers(log, tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(curve_charts, "save_figure", lambda figure, path: figures.append(figure) or path)
    looks = list(range(1, 12))
    many = {"a and b": {"fork": (looks, [-1.0] * 5 + [1.0] * 6)}}
    for cosines in (read_cosines(log), many):
        cosine_map(cosines, tmp_path / "a.png")
    few, long = (figure.axes[0] for figure in figures)
    assert [tick.get_text() for tick in few.get_yticklabels()] == ["layer1 (+0.38)", "a.x+b.y (-0.50)"]  # .375, -.5
    assert [text.get_text() for text in few.texts] == ["+0.25", "+0.50", "-0.50"]
    assert few.images[0].get_array().mask.tolist() == [[False, False], [False, True]]
    assert [tick.get_text() for tick in long.get_yticklabels()] == ["fork (+0.09)"] and not long.texts  # 1 / 11


def test_both_are_drawn_and_nothing_is_refused(log, tmp_path):
    gap_curves({"cross-stitch": [[log], [log]]}, tmp_path / "gaps.png")
    cosine_map(read_cosines(log), tmp_path / "cosines.png", title="cross-stitch")
    for name in ("gaps", "cosines"):
        assert all((tmp_path / f"{name}.{kind}").stat().st_size > 1000 for kind in ("png", "svg"))
    assert "layer1" in (tmp_path / "cosines.svg").read_text()
    log.write_text("step,gap.seg\n")
    with pytest.raises(ValueError, match="no gap to draw"):
        gap_curves({"cross-stitch": [[log]]}, tmp_path / "none.png")
    with pytest.raises(ValueError, match="no cosine"):
        cosine_map(read_cosines(log), tmp_path / "none.png")
