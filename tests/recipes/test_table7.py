"""NDDR-CNN's table 7 against the paper (p002, section 5.2), and its small form on made-up pictures of UTKFace's layout."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from recipes.rows import written

from taskweave.experiments.artifacts.faces import counts_of
from taskweave.experiments.bench import Bench
from taskweave.experiments.columns import columns_of
from taskweave.experiments.comparison import compare
from taskweave.experiments.overrides import with_settings
from taskweave.experiments.plan import all_runs, entries
from taskweave.recipes.catalogue import find
from taskweave.reporting import face_histograms, write_report

FULL = "nddr/table7"
WIDTHS = (64, 128, 256, 512, 512)


def content(*, small: bool = False) -> dict[str, Any]:
    return find(FULL, small=small).dump()


def test_protocol() -> None:
    full = content()
    assert full["at"] == ["pool1", "pool2", "pool3", "pool4", "pool5"]
    network, head = full["network"], full["network"]["head"]
    assert (network["use"], network["width"], network["batch_norm"]) == ("vgg16", 64, False)
    assert (head["use"], head["grid"], head["hidden"]) == ("vgg_classifier", 7, 4096)
    assert (full["data"]["use"], full["data"]["size"]) == ("imdb_wiki", [224, 224])
    assert full["data"]["test_share"] == 2000 / 12325  # of the subjects
    assert list(full["tasks"]) == ["age", "gender"]
    shared, stitched, sluiced, ours = map(written, find(FULL).methods)
    assert shared["until"] == "pool5"
    assert (stitched["self_weight"], stitched["other_weight"], stitched["rate"]) == (0.9, 0.1, 1000.0)
    assert sluiced["subspaces"] == 2
    assert (ours["order"], ours["self_weight"], ours["other_weight"], ours["rate"]) == ("authors", 0.9, 0.1, 100.0)


@pytest.mark.parametrize("small", [False, True])
def test_rows(small: bool) -> None:
    rows = find(FULL, small=small).rows
    kinds = ["single", "single_trained_on", "shared", "cross_stitch", "sluice", "nddr"]
    assert [written(row)["use"] for row in rows] == kinds


@pytest.mark.slow
def test_sizes() -> None:
    """VGG-16 for 100 ages and for 2 genders; 4 (c x c) weights of a 1x1 convolution at each pool, and a batch norm each."""
    full = find(FULL)
    bench = Bench(full)
    size = {run.title: bench.cost(run).parameters for run in all_runs(entries(full)) if run.schedule != "trained_on"}
    age, gender = size["single age, seed 1234"], size["single gender, seed 1234"]
    assert (age, gender) == (134_670_244, 134_268_738)
    assert size["NDDR, seed 1234"] - age - gender == 4 * sum(c * c for c in WIDTHS) + 4 * sum(WIDTHS) == 2_447_104
    assert size["cross-stitch, seed 1234"] - age - gender == 4 * sum(WIDTHS)
    body = 14_714_688
    assert size["shared until pool5, seed 1234"] == age + gender - body


@pytest.mark.shared
def test_rows_are_those_printed(shared: Path) -> None:
    printed = yaml.safe_load((shared / "spec" / "paper_tables.yaml").read_text())["papers"]["p002"]["tables"]["table7"][
        "rows"
    ]
    assert len(printed) == len([row for row in find(FULL).rows if not row.made.is_control]) == 5


def faces(folder: Path, count: int = 30) -> Path:
    """Pictures of noise, lighter for one gender, named as UTKFace's."""
    draw = np.random.default_rng(0)
    folder.mkdir()
    for i in range(count):
        noise = draw.integers(0, 128, (70, 70, 3)) + 100 * (i % 2)
        name = f"{3 * i}_{i % 2}_0_{20170101000000000 + i}.jpg.chip.jpg"
        Image.fromarray(noise.astype(np.uint8)).save(folder / name)
    return folder


def test_labels_of_a_data_set_as_histograms(tmp_path: Path) -> None:
    from taskweave.data import utkface

    folder = faces(tmp_path / "faces")
    whole = utkface("all", path=folder)
    counts = counts_of(whole, "all")
    assert counts.label == "all (30)"
    assert sorted(counts.ages) == [3.0 * i for i in range(30)]
    assert sorted(counts.genders) == [0] * 15 + [1] * 15
    png, svg = face_histograms([counts], tmp_path / "labels.png")
    assert png.is_file() and svg.suffix == ".svg"


@pytest.mark.slow
def test_two_steps_of_every_row(tmp_path: Path) -> None:
    recipe = with_settings(
        find(FULL, small=True, data=faces(tmp_path / "faces")),
        [
            "start.use=scratch",
            "data.size=[32, 32]",
            "data.augment.random_crop.size=[32, 32]",
            "network.width=4",
            *(f"training.{stage}.steps=2" for stage in ("single", "connected", "joint")),
            *(f"training.{stage}.batch_size=4" for stage in ("single", "connected", "joint")),
        ],
    )
    done = compare(recipe, folder=tmp_path)
    assert done.finished
    assert done.result.methods == ("single", "single, trained on", "shared until pool5", "cross-stitch", "sluice", "NDDR")
    for row in done.result.rows:
        assert list(row.metrics) == [column.name for column in columns_of(recipe)] == ["age", "gender"]
        assert row.metrics["age"]["mean AE"] > 0 and 0 <= row.metrics["gender"]["accuracy"] <= 100
    assert set(done.result.constant) == {"age", "gender"}  # rows no better than it are marked
    drawn = {path.name for path in (*done.pictures, *write_report(done.folder))}
    assert "faces.png" in drawn and (done.folder / "charts" / "faces.svg").is_file()
    assert not {"age.png", "gender.png"} & drawn, "pictures of faces"
