"""Ages and genders as histograms: heights are shares, labels are filled and predictions lines, two files."""

from pathlib import Path

import matplotlib.patches
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from taskweave.reporting import bar_charts as module
from taskweave.reporting.bar_charts import FaceCounts, age_shares, face_histograms

LABELS = FaceCounts("train (4)", (0.0, 4.9, 5.0, 99.0), (0, 1, 1, 1))
PREDICTED = FaceCounts("ours", (22.5, 27.5, 28.0, 49.5), (0, 0, 1, 1), predicted=True)


def drawn(series: list[FaceCounts], monkeypatch: pytest.MonkeyPatch) -> Figure:
    kept: list[Figure] = []
    monkeypatch.setattr(module, "save_figure", lambda figure, path: kept.append(figure) or path)
    face_histograms(series, Path("unused.png"), title="a title")
    return kept[0]


def bars(axes: Axes) -> list[tuple[float, float]]:
    return [(p.get_x(), p.get_height()) for p in axes.patches if isinstance(p, matplotlib.patches.Rectangle)]


def test_shares_by_hand() -> None:
    assert age_shares([0, 4.9, 5, 99]) == [50.0, 25.0, *[0.0] * 17, 25.0]
    assert age_shares([100]) == [*[0.0] * 19, 100.0]


def test_ages_are_filled_where_labelled_and_lines_where_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    ages, _ = drawn([LABELS, PREDICTED], monkeypatch).axes
    steps = [p for p in ages.patches if isinstance(p, matplotlib.patches.StepPatch)]
    assert [list(p.get_data().values) for p in steps] == [age_shares(LABELS.ages)] * 2  # the area and its outline
    assert [p.get_fill() for p in steps] == [True, False]
    (line,) = ages.lines
    assert line.get_drawstyle() == "steps-post"
    shares = dict(zip(line.get_xdata(), line.get_ydata(), strict=True))
    assert {int(x): y for x, y in shares.items() if y} == {20: 25.0, 25: 50.0, 45: 25.0}


def test_genders_are_shares_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    _, genders = drawn([LABELS, PREDICTED], monkeypatch).axes
    assert [height for _, height in bars(genders)] == [25.0, 75.0, 50.0, 50.0]
    lefts = [x for x, _ in bars(genders)]
    assert lefts[0] < lefts[2] < lefts[1] < lefts[3]  # female of both, then male of both
    assert [tick.get_text() for tick in genders.get_xticklabels()] == ["female", "male"]


def test_two_files(tmp_path: Path) -> None:
    png, svg = face_histograms([LABELS, PREDICTED], tmp_path / "faces.png")
    assert Image.open(png).format == "PNG" and "<svg" in svg.read_text()[:600]
    assert svg == tmp_path / "faces.svg"
    only, _ = face_histograms([FaceCounts("ages", (3.0,))], tmp_path / "ages.png")
    assert only.is_file()


def test_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no ages or genders to draw: \['none'\] have none"):
        face_histograms([FaceCounts("none")], tmp_path / "a.png")
    with pytest.raises(ValueError, match="ages are 0 to 100 years; 'old' has 101"):
        face_histograms([FaceCounts("old", (101.0,))], tmp_path / "a.png")
    with pytest.raises(ValueError, match="there are 2 names for genders; 'odd' has class 2"):
        face_histograms([FaceCounts("odd", (), (0, 2))], tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
