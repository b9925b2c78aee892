"""What is drawn of a comparison: a drawing that fails costs no other; what was drawn before goes, and nothing else."""

import json
from pathlib import Path

import pytest
from experiments.tiny import Told

from taskweave.results.folder import DRAWN, STRICT, distinct_names, draw_all


def test_a_drawing_that_fails_is_noted_and_the_others_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> list[Path]:
        raise ZeroDivisionError("by hand")

    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "losses.png").touch()
    parts = {"a": fail, "learning curves": lambda: [tmp_path / "charts" / "losses.png"]}
    told = Told()
    with pytest.raises(ZeroDivisionError, match="by hand"):
        draw_all(parts, tmp_path, by="report", progress=told)
    monkeypatch.delenv(STRICT)
    written = draw_all(parts, tmp_path, by="report", progress=told)
    assert [path.name for path in written] == ["losses.png"]
    assert told.notes == ["could not draw a (ZeroDivisionError: by hand); the table and the numbers are whole"]


def test_what_was_drawn_before_and_is_not_now_goes_and_nothing_else(tmp_path: Path) -> None:
    charts = tmp_path / "charts"

    def draw(*names: str) -> None:
        def part() -> list[Path]:
            for name in names:
                (charts / f"{name}.png").touch()
                (charts / f"{name}.svg").touch()
            return [charts / f"{name}.png" for name in names]

        draw_all({"a": part}, tmp_path, by="report", progress=Told())

    charts.mkdir()
    (tmp_path / "pictures").mkdir()
    for kept in (charts / "my-own.png", tmp_path / "table.png", tmp_path / "pictures" / "depth.png"):
        kept.touch()
    draw_all({"pictures": lambda: [tmp_path / "pictures" / "depth.png"]}, tmp_path, by="compare", progress=Told())
    draw("alphas-one", "gains")
    listed = json.loads((tmp_path / DRAWN).read_text())
    listed["report"] += ["table.png", "charts/../table.png"]
    (tmp_path / DRAWN).write_text(json.dumps(listed))
    draw("gains", "alphas-two")
    assert sorted(path.name for path in charts.iterdir()) == [
        *("alphas-two.png", "alphas-two.svg", "gains.png", "gains.svg", "my-own.png")
    ]
    assert (tmp_path / "table.png").is_file(), "only drawings are deleted"
    assert (tmp_path / "pictures" / "depth.png").is_file(), "and only one's own"
    assert json.loads((tmp_path / DRAWN).read_text()) == {
        "compare": ["pictures/depth.png"],
        "report": ["charts/alphas-two.png", "charts/alphas-two.svg", "charts/gains.png", "charts/gains.svg"],
    }
    (tmp_path / DRAWN).write_text("[")
    draw("losses")
    assert (charts / "gains.png").is_file(), "by a damaged list nothing is deleted"


def test_names_that_would_be_one_file_are_told_apart() -> None:
    assert distinct_names(["a/b", "a b", "A-b", "c"]) == {"a/b": "a-b", "a b": "a-b-2", "A-b": "A-b-3", "c": "c"}
