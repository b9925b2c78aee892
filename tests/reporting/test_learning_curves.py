"""Curves over the steps: what is read of logs, and what is drawn of several seeds."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from PIL import Image

from taskweave.reporting import curve_charts, training_curves
from taskweave.reporting.curve_charts import (
    POINTS,
    over_seeds,
    read_losses,
    read_validations,
    read_weights,
    thinned,
    validation_curves,
    weight_curves,
)


def log(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    figures: list[Figure] = []
    monkeypatch.setattr(curve_charts, "save_figure", lambda figure, path: figures.append(figure) or path)
    return figures


def test_losses_of_a_log(tmp_path: Path) -> None:
    text = "step,epoch,loss.seg,loss.depth,lr.heads\n10,0.1,2.5,,0.1\n20,0.2,1.5,0.25,0.1\n30,0.3"
    found = read_losses(log(tmp_path / "log.csv", text))
    assert found == {"seg": ([10, 20], [2.5, 1.5]), "depth": ([20], [0.25])}


def test_a_panel_per_task_and_a_line_per_method_over_its_runs(tmp_path: Path, kept: list[Figure]) -> None:
    seg = log(tmp_path / "1.csv", "step,loss.seg\n1,3\n2,2\n")
    depth = log(tmp_path / "2.csv", "step,loss.depth\n1,0.5\n2,0.25\n")
    both = log(tmp_path / "3.csv", "step,loss.seg,loss.depth\n1,4,1\n2,1,1\n")
    training_curves({"single": [[seg, depth]], "<b>&$x_1$": [[both]], "nothing": [[]]}, tmp_path / "a.png")
    first, second = kept[0].axes
    assert (first.get_title(), second.get_title()) == ("seg", "depth")
    assert [list(line.get_ydata()) for line in first.lines] == [[3.0, 2.0], [4.0, 1.0]]
    assert [list(line.get_ydata()) for line in second.lines] == [[0.5, 0.25], [1.0, 1.0]]
    assert [text.get_text() for text in kept[0].legends[0].get_texts()] == ["single", "<b>&$x_1$"]
    assert not kept[0].get_suptitle(), "one seed is no range"


def test_seeds_are_a_mean_and_a_range(tmp_path: Path, kept: list[Figure]) -> None:
    one = log(tmp_path / "1.csv", "step,loss.seg\n1,3\n2,2\n")
    two = log(tmp_path / "2.csv", "step,loss.seg\n1,5\n2,3\n")
    training_curves({"single": [[one], [two]]}, tmp_path / "a.png")
    (axes,) = kept[0].axes
    assert list(axes.lines[0].get_ydata()) == [4.0, 2.5]
    (band,) = (c for c in axes.collections if isinstance(c, PolyCollection))
    corners = {tuple(corner) for corner in band.get_paths()[0].vertices.tolist()}
    assert corners == {(1.0, 3.0), (2.0, 2.0), (1.0, 5.0), (2.0, 3.0)}
    assert "mean over seeds" in kept[0].get_suptitle()


def test_seeds_that_stopped_at_other_steps_are_compared_where_both_are() -> None:
    steps, values = over_seeds(
        [(np.array([0.0, 10.0, 20.0]), np.array([0.0, 1.0, 2.0])), (np.array([5.0, 15.0]), np.array([3.0, 5.0]))]
    )
    assert steps.tolist() == [5.0, 10.0, 15.0]
    assert values.tolist() == [[0.5, 1.0, 1.5], [3.0, 4.0, 5.0]]


def test_long_logs_are_drawn_as_means_of_neighbours() -> None:
    few = thinned([1, 2, 3], [1.0, float("inf"), 3.0])
    assert few[0].tolist() == [1.0, 2.0, 3.0] and np.isnan(few[1]).tolist() == [False, True, False]
    steps, values = thinned(range(4 * POINTS), [float(i % 4) for i in range(4 * POINTS)])
    assert len(steps) == POINTS and set(values) == {1.5} and steps[:2].tolist() == [1.5, 5.5]
    assert len(thinned(range(POINTS + 1), [0.0] * (POINTS + 1))[0]) <= POINTS


def test_steep_losses_have_a_logarithmic_axis(tmp_path: Path, kept: list[Figure]) -> None:
    for name, last in (("steep", "0.001"), ("flat", "2")):
        training_curves({"x": [[log(tmp_path / f"{name}.csv", f"step,loss.seg\n1,3\n2,{last}\n")]]}, tmp_path / "a.png")
    assert [figure.axes[0].get_yscale() for figure in kept] == ["log", "linear"]


def test_weights_and_validations(tmp_path: Path, kept: list[Figure]) -> None:
    """Weights of the columns of weights alone; of validations a panel per task and metric."""
    one = log(tmp_path / "1.csv", "step,loss.seg,weight.seg,weight.depth\n10,3,0.5,1.5\n20,2,,1.25\n")
    assert read_weights(one) == {"seg": ([10], [0.5]), "depth": ([10, 20], [1.5, 1.25])}
    weight_curves({"DWA": [[one]]}, tmp_path / "a.png")
    assert [axes.get_title() for axes in kept[0].axes] == ["seg", "depth"]
    table = log(tmp_path / "v.csv", "step,task,metric,value\n5,seg,mIoU,12.5\n10,seg,mIoU,20\n10,seg,accuracy,50\n")
    assert read_validations(table) == {"seg mIoU": ([5, 10], [12.5, 20.0]), "seg accuracy": ([10], [50.0])}
    validation_curves({"ours": [[table]]}, tmp_path / "a.png")
    assert [list(axes.lines[0].get_ydata()) for axes in kept[1].axes] == [[12.5, 20.0], [50.0]]


def test_files_and_refusals(tmp_path: Path) -> None:
    one = log(tmp_path / "1.csv", "step,loss.seg\n1,3\n2,2\n")
    path = training_curves({"a": [[one]]}, tmp_path / "a.png")
    assert Image.open(path).width == 600 and path.with_suffix(".svg").is_file()
    with pytest.raises(ValueError, match=r"no loss to draw: none of .*0\.csv"):
        training_curves({"x": [[log(tmp_path / "0.csv", "step,loss.seg\n")]]}, tmp_path / "c.png")
    with pytest.raises(ValueError, match="no weight to draw"):
        weight_curves({"x": [[one]]}, tmp_path / "c.png")
    with pytest.raises(FileNotFoundError):
        training_curves({"x": [[tmp_path / "nowhere.csv"]]}, tmp_path / "c.png")
    assert not (tmp_path / "c.png").exists()
