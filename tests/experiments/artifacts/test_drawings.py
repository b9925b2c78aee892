"""What is drawn of a comparison: a drawing that fails costs no other; classes' gains and their numbers."""

import json
from pathlib import Path

import pytest
from experiments.tiny import Told, tiny

from taskweave.experiments.artifacts import charting, writing
from taskweave.experiments.artifacts.charting import Drawn, classes
from taskweave.experiments.artifacts.writing import STRICT, write_drawings
from taskweave.experiments.bench import Bench
from taskweave.experiments.plan import Entry, entries
from taskweave.experiments.running import RunRecord, folder_of
from taskweave.reporting import alpha_chart, transfer_chart
from taskweave.reporting.learned import PlaceLink
from taskweave.results.comparison import ComparisonResult, Row
from taskweave.results.file_names import distinct_names

IOU = {"single": {"void": 10.0, "floor": 20.0}, "cross-stitch": {"void": 16.0, "floor": None}}


def stored(root: Path) -> tuple[list[Entry], ComparisonResult, Bench]:
    """A comparison whose runs are stored as far as charts of numbers look: records and scores by class."""
    recipe = tiny()
    rows = [entry for entry in entries(recipe) if entry.method.title in IOU]
    found: list[Row] = []
    for entry in rows:
        for run in entry.runs:
            own = folder_of(run, root)
            own.mkdir(parents=True)
            record = RunRecord(
                title=run.title, digest=run.digest, seed=0, tasks=run.measured, metrics={}, directions={}, parameters=1,
                flops=1, seconds_per_step=0.1, seconds=0.1, steps=1, content={},
            )  # fmt: skip
            (own / "run.json").write_text(record.model_dump_json())
            (own / "log.csv").write_text("step,loss.segmentation\n1,2.0\n2,1.0\n")
            if "segmentation" in run.measured:
                (own / "classes.json").write_text(json.dumps({"segmentation": {"mIoU": IOU[entry.method.title]}}))
        found.append(
            Row(method=entry.method.title, seed=0, metrics={"segmentation": {"mIoU": 15.0}},
                directions={"segmentation": {"mIoU": "higher"}}, parameters=1, flops=1, recipe_hash="h")
        )  # fmt: skip
    result = ComparisonResult(name="tiny", recipe={}, recipe_hash="h", taskweave_version="0", rows=tuple(found))
    return rows, result, Bench(recipe)


def test_gains_by_class_and_their_means_as_numbers(tmp_path: Path) -> None:
    rows, result, bench = stored(tmp_path)
    here = tmp_path / "tiny"
    (here / "charts").mkdir(parents=True)
    counts = {"unit": "pixels", "labels": {"void": 7, "floor": 900}, "images": {"void": 1, "floor": 9}}
    (here / "labels.json").write_text(json.dumps({"known_by": "x", "tasks": {"segmentation": counts}}))
    (chart,) = classes(Drawn(rows, result, bench, tmp_path, here / "charts"))
    assert chart.name == "class-gains-segmentation-mIoU.png" and chart.with_suffix(".svg").is_file()
    numbers = json.loads((here / "charts" / "class-gains.json").read_text())["segmentation"]["mIoU"]
    assert numbers == {
        "unit": "pixels",
        "methods": {
            "cross-stitch": {"seeds": 1, "classes": 1, "all": 6.0, "least_labelled": {"10": None, "20": None}},
        },
    }


def test_a_chart_that_fails_is_noted_and_the_others_are_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, result, bench = stored(tmp_path)
    told = Told()

    def fail(drawn: Drawn) -> tuple[Path, ...]:
        raise ZeroDivisionError("by hand")

    parts = {"a": fail, "learning curves": writing.PARTS["learning curves"]}
    monkeypatch.setattr(writing, "PARTS", parts)
    monkeypatch.setattr(writing, "write_pictures", lambda *_, **__: ())
    with pytest.raises(ZeroDivisionError, match="by hand"):
        write_drawings(rows, result, bench, root=tmp_path, folder=tmp_path, progress=told)
    monkeypatch.delenv(STRICT)
    written = write_drawings(rows, result, bench, root=tmp_path, folder=tmp_path, progress=told)
    assert [path.name for path in written] == ["losses.png"]
    assert told.notes == ["could not draw a (ZeroDivisionError: by hand); the table and the numbers are whole"]


def test_what_was_drawn_before_and_is_not_now_goes_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, result, bench = stored(tmp_path)
    charts = tmp_path / "charts"

    def draw(*names: str) -> None:
        def part(drawn: Drawn) -> list[Path]:
            for name in names:
                (charts / f"{name}.png").touch()
                (charts / f"{name}.svg").touch()
            return [charts / f"{name}.png" for name in names]

        monkeypatch.setattr(writing, "PARTS", {"a": part})
        write_drawings(rows, result, bench, root=tmp_path, folder=tmp_path, progress=Told())

    monkeypatch.setattr(writing, "write_pictures", lambda *_, **__: ())
    charts.mkdir()
    for kept in (charts / "sweep-split.png", tmp_path / "table.png"):
        kept.touch()
    draw("alphas-one", "gains")
    (tmp_path / writing.DRAWN).write_text(
        json.dumps([*json.loads((tmp_path / writing.DRAWN).read_text()), "table.png", "charts/../table.png"])
    )
    draw("gains", "alphas-two")
    assert sorted(path.name for path in charts.iterdir()) == [
        *("alphas-two.png", "alphas-two.svg", "gains.png", "gains.svg", "sweep-split.png")
    ]
    assert (tmp_path / "table.png").is_file(), "only drawings are deleted"
    listed = json.loads((tmp_path / writing.DRAWN).read_text())
    assert listed == ["charts/alphas-two.png", "charts/alphas-two.svg", "charts/gains.png", "charts/gains.svg"]


def test_a_chart_of_one_training_says_of_which_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first seed has failed, so that there is no row of it: the chart is of the second."""
    recipe = tiny(seeds=[4, 5])
    rows = [entry for entry in entries(recipe) if entry.seed == 5 or entry.method.title == "single"]
    own = folder_of(rows[-1].runs[0], tmp_path)
    own.mkdir(parents=True)
    (own / "monitor.csv").write_text("step,cosine.layer1.segmentation|normals\n1,0.5\n")
    result = ComparisonResult(name="tiny", recipe={}, recipe_hash="h", taskweave_version="0")
    titles: list[str] = []
    monkeypatch.setattr(alpha_chart, "draw_alphas", lambda links, path, *, title: titles.append(title) or path)
    monkeypatch.setattr(transfer_chart, "cosine_map", lambda cosines, path, *, title: titles.append(title) or path)
    links = [PlaceLink("layer1", "a", "a", True, 1.0, 1.0, (0.5,))]
    monkeypatch.setattr(charting, "_links", lambda entry, drawn: links if entry.method.title == "cross-stitch" else [])
    drawn = Drawn(rows, result, Bench(recipe), tmp_path, tmp_path / "charts")
    written = [path.name for part in (charting.connections, charting.transfer) for path in part(drawn)]
    assert written == ["alphas-cross-stitch.png", "transfer-cosines-cross-stitch.png"]
    assert titles == ["cross-stitch: alpha values (seed 5)", "cross-stitch (seed 5)"]


def test_no_rows_no_files(tmp_path: Path) -> None:
    recipe = tiny()
    empty = ComparisonResult(name="tiny", recipe={}, recipe_hash="h", taskweave_version="0")
    given = {"root": tmp_path, "folder": tmp_path, "progress": Told()}
    assert write_drawings(entries(recipe), empty, Bench(recipe), **given) == ()  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_names_that_would_be_one_file_are_told_apart() -> None:
    assert distinct_names(["a/b", "a b", "A-b", "c"]) == {"a/b": "a-b", "a b": "a-b-2", "A-b": "A-b-3", "c": "c"}
