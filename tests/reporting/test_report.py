"""Charts and pages from a comparison's folder: files in, files out."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from taskweave.reporting import curve_charts, report, unit_charts, write_charts, write_report
from taskweave.reporting.report import PARTS, Source
from taskweave.results.comparison import ComparisonResult, Row
from taskweave.results.folder import AttentionMasks, FaceCounts, keep_attention, keep_faces
from taskweave.results.run_files import PlaceLink, RunRecord, keep_units

IOU = {"single": {"void": 10.0, "floor": 20.0}, "cross-stitch": {"void": 16.0, "floor": None}}


def stored(root: Path, *, seeds: tuple[int, ...] = (0,)) -> Path:
    """A comparison's folder, and its runs as far as charts look: records, logs and scores by class."""
    rows: list[Row] = []
    for method, scores in IOU.items():
        own = root / "runs" / method
        own.mkdir(parents=True)
        record = RunRecord(
            title=method, digest=method, seed=seeds[-1], tasks=("segmentation",), metrics={}, directions={}, parameters=1,
            flops=1, seconds_per_step=0.1, seconds=0.1, steps=1, content={}, weighting="dwa" if method != "single" else "",
        )  # fmt: skip
        (own / "run.json").write_text(record.model_dump_json())
        (own / "log.csv").write_text("step,loss.segmentation,weight.segmentation\n1,2.0,1.0\n2,1.0,1.0\n")
        (own / "classes.json").write_text(json.dumps({"segmentation": {"mIoU": scores}}))
        rows.append(
            Row(method=method, seed=seeds[-1], metrics={"segmentation": {"mIoU": 15.0}}, runs=(method,),
                directions={"segmentation": {"mIoU": "higher"}}, parameters=1, flops=1, recipe_hash="h")
        )  # fmt: skip
    here = root / "tiny"
    here.mkdir()
    ComparisonResult(
        name="tiny", recipe={}, recipe_hash="h", taskweave_version="0", rows=tuple(rows), seeds=seeds,
        columns={"segmentation": "segmentation"},
    ).save(here / "comparison.json")  # fmt: skip
    return here


def names(paths: tuple[Path, ...]) -> list[str]:
    return sorted(path.name for path in paths)


def test_table_charts_and_page(tmp_path: Path) -> None:
    here = stored(tmp_path)
    assert names(write_report(here)) == ["gains.png", "losses.png", "metrics.png", "weights.png"]
    assert {path.name for path in here.iterdir()} == {
        "comparison.json", "table.md", "table.csv", "report.html", "charts", "drawn.json",
    }  # fmt: skip
    assert "charts: " not in (here / "report.html").read_text()
    assert (here / "charts" / "losses.svg").is_file()


def test_gains_by_class_and_their_means_as_numbers(tmp_path: Path) -> None:
    here = stored(tmp_path)
    counts = {"unit": "pixels", "labels": {"void": 7, "floor": 900}, "images": {"void": 1, "floor": 9}}
    (here / "labels.json").write_text(json.dumps({"known_by": "x", "tasks": {"segmentation": counts}}))
    assert "class-gains-segmentation-mIoU.png" in names(write_charts(here))
    assert (here / "charts" / "class-gains-segmentation-mIoU.svg").is_file()
    numbers = json.loads((here / "charts" / "class-gains.json").read_text())["segmentation"]["mIoU"]
    assert numbers == {
        "unit": "pixels",
        "methods": {
            "cross-stitch": {"seeds": 1, "classes": 1, "all": 6.0, "least_labelled": {"10": None, "20": None}},
        },
    }


def test_a_chart_of_one_training_says_of_which_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first seed has failed, so that there is no row of it: the chart is of the second."""
    here = stored(tmp_path, seeds=(4, 5))
    own = tmp_path / "runs" / "cross-stitch"
    (own / "monitor.csv").write_text("step,cosine.layer1.segmentation|normals\n1,0.5\n")
    links = [
        PlaceLink("layer1", "a", "a", True, 1.0, 1.0, (0.5,)),
        PlaceLink("layer1", "b", "a", False, 0.5, None, (0.25,)),
    ]
    keep_units(links, own)
    titles: list[str] = []
    shown: list[PlaceLink] = []
    monkeypatch.setattr(
        unit_charts, "draw_alphas", lambda links, path, *, title: (titles.append(title), shown.extend(links), path)[-1]
    )
    monkeypatch.setattr(curve_charts, "cosine_map", lambda cosines, path, *, title: titles.append(title) or path)
    source = Source(ComparisonResult.load(here / "comparison.json"), here)
    written = [path.name for part in (report.connections, report.transfer) for path in part(source)]
    assert written == ["alphas-cross-stitch.png", "sharing-map.png", "transfer-cosines-cross-stitch.png"]
    assert titles == ["cross-stitch: alpha values (seed 5)", "cross-stitch (seed 5)"]
    assert shown == links, "read as they were written"
    assert json.loads((here / "charts" / "sharing-map.json").read_text())["cross-stitch"][0][1] == {
        "place": "layer1", "source": "b", "destination": "a", "norm": 0.5, "relative": None,
    }  # fmt: skip


def test_faces_and_attention_are_drawn_from_what_was_kept(tmp_path: Path) -> None:
    here = stored(tmp_path)
    series = [FaceCounts("train (3)", (1.0, 20.5, 99.0), (0, 1, 1)), FaceCounts("NDDR", (30.0,), (0,), predicted=True)]
    keep_faces(series, ("f", "m"), here)
    image = np.full((1, 3, 8, 12), 200, np.uint8)
    masks = {"depth": [np.full((1, 4, 6), 0.5, np.float32), np.full((1, 2, 3), 1.0, np.float32)], "none": []}
    keep_attention(AttentionMasks("MTAN: attention", image, masks), here / "attention" / "MTAN.npz")
    assert {"faces.png", "attention-MTAN.png"} <= set(names(write_charts(here)))
    assert Image.open(here / "pictures" / "attention-MTAN.png").width > 200
    (here / "attention" / "MTAN.npz").unlink()
    (here / "faces.json").unlink()
    write_charts(here)
    assert not list(here.glob("*/*faces*")) and not list(here.glob("*/attention*.png")), "what has no data any more"


def test_every_kind_of_chart_may_have_nothing_to_draw(tmp_path: Path) -> None:
    ComparisonResult(name="n", recipe={}, recipe_hash="h", taskweave_version="0").save(tmp_path / "comparison.json")
    source = Source(ComparisonResult.load(tmp_path / "comparison.json"), tmp_path)
    assert [path for part in PARTS.values() for path in part(source)] == []
    assert [path.name for path in tmp_path.iterdir()] == ["comparison.json"]
