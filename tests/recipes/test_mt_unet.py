"""The full-size recipes of MT-UNet's tables and figure 4 against the paper's protocol (p003), and their small forms."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from recipes.rows import written

from taskweave.experiments.bench import Bench
from taskweave.experiments.plan import all_runs, entries
from taskweave.recipes.catalogue import find

NYUV2 = ("mt_unet/table2",)
CITYSCAPES = ("mt_unet/table1", "mt_unet/table1_19_classes", "mt_unet/table3", "mt_unet/figure4")
EPOCHS = {**dict.fromkeys(NYUV2, (2, 398)), **dict.fromkeys(CITYSCAPES, (8, 372))}
"""(batch size, batches an epoch): 795 images in batches of 2, 2,975 in batches of 8, the last of each filled up."""


def content(name: str, *, small: bool = False) -> dict[str, Any]:
    return find(name, small=small).dump()


@pytest.mark.parametrize("name", EPOCHS)
def test_training(name: str) -> None:
    batch, batches = EPOCHS[name]
    for stage in ("single", "connected", "joint"):
        options = content(name)["training"][stage]
        assert options["optimizer"] == {"use": "adam", "lr": 1e-4, "betas": [0.9, 0.999]}
        assert (options["batch_size"], options["steps"]) == (batch, 200 * batches)
        assert options["schedule"]["use"] == "constant"
    assert content(name)["start"] == {"use": "scratch"}


@pytest.mark.parametrize("name", EPOCHS)
def test_data_and_tasks(name: str) -> None:
    full = content(name)
    data = full["data"]
    assert data["size"] == [128, 256]  # both data sets
    assert data["augment"] == []  # none is named
    if name in NYUV2:
        assert (data["use"], data["classes"]) == ("nyuv2_mtan", 13)
    else:
        classes = 19 if "19" in name else 7
        assert (data["use"], data["classes"], data["depth"]) == ("cityscapes_mtan", classes, "inverse")
    tasks = full["tasks"]
    assert list(tasks) == ["segmentation", "depth"]
    assert tasks["depth"]["loss"] == "l1" and tasks["segmentation"]["loss"] == "cross_entropy"
    assert {choice["weight"] for choice in tasks.values()} == {1.0}  # eq. 4


@pytest.mark.parametrize("name", EPOCHS)
def test_networks_are_the_papers(name: str) -> None:
    """Widths as printed, everything else as the networks' own defaults; MT-UNet is made of the ST-UNet beside it."""
    full = content(name)
    assert (full["network"]["use"], full["network"]["widths"]) == ("st_unet", [64, 128, 256, 512])
    for method in full["methods"]:
        network = method["network"]
        if network is not None and network["use"] == "mt_unet":
            assert network["network"] == full["network"]
        elif network is not None:
            assert network["widths"] == [64, 128, 256, 512, 512]


@pytest.mark.parametrize("name", ["mt_unet/table1", "mt_unet/table2"])
@pytest.mark.parametrize("small", [False, True])
def test_methods_of_tables_1_and_2(name: str, small: bool) -> None:
    rows = find(name, small=small).rows
    assert [written(row)["use"] for row in rows] == [
        *("single", "single", "dense_segnet", "common_stitch", "cross_stitch", "mtan_segnet", "mt_unet")
    ]
    assert [row.title for row in rows] == [
        "ST-UNet",
        "STAN",
        "Dense",
        "Cross-Stitch (as MTAN's code)",
        "Cross-Stitch (K x K)",
        "MTAN",
        "MT-UNet",
    ]
    assert [row.weighting.name if row.weighting else None for row in rows] == [None] * 6 + ["variance_ratio"]
    schedules = {run.schedule for entry in entries(find(name, small=small)) for run in entry.runs}
    assert schedules == {"single", "joint"}  # everything begins at the start, for as many steps


def test_methods_of_table_3() -> None:
    _, on, off = find("mt_unet/table3").rows
    assert written(on) | {"cross_talk": False, "label": off.label} == written(off)  # nothing else differs
    assert written(on) | {"label": "MT-UNet"} == written(find("mt_unet/table1").rows[-1])


def test_weightings_of_figure_4() -> None:
    rows = {row.title: row.weighting for row in find("mt_unet/figure4").rows if row.weighting is not None}
    assert list(rows) == [
        "MT-UNet, eq. 4 (1, 1)",
        "MT-UNet, (0.3, 0.7)",
        "MT-UNet, (0.7, 0.3)",
        "MT-UNet, DWA",
        "MT-UNet, eq. 5",
        "MTAN, DWA",
    ]
    plain, low, high, dwa, own, mtan = (weighting.dump() for weighting in rows.values())
    assert plain == {"use": "fixed", "weights": {}}
    assert low["weights"] == {"depth": 0.3, "segmentation": 0.7}  # W_1 is depth's
    assert high["weights"] == {"depth": 0.7, "segmentation": 0.3}
    assert (dwa["use"], dwa["temperature"]) == ("dynamic_weight_average", 2.0) and mtan == dwa
    assert (own["use"], own["learning_rate"], own["literal"]) == ("variance_ratio", 1e-3, False)


def test_small_forms_stand_in_for_cityscapes_and_say_so() -> None:
    for name in ("mt_unet/table3", "mt_unet/figure4"):
        small = content(name, small=True)
        assert (small["data"]["use"], small["data"]["classes"]) == ("nyuv2_folder", 13)
        assert "named stand-in" in small["notes"] and "Cityscapes" in small["notes"]
        assert small["data"] == content("mt_unet/table2", small=True)["data"]
    streets = content("mt_unet/table1", small=True)["data"]
    assert (streets["use"], streets["size"]) == ("cityscapes_mtan", [96, 192])


def test_small_tables_share_their_runs() -> None:
    """MT-UNet of table 2, with cross-talk in table 3 and under eq. 5 in figure 4 is one training; ST-UNet too."""
    found = {}
    for name, title in (("table2", "MT-UNet"), ("table3", "MT-UNet with cross-talk"), ("figure4", "MT-UNet, eq. 5")):
        by_title = {e.row.title: [run.digest for run in e.runs] for e in entries(find(f"mt_unet/{name}", small=True))}
        found[name] = by_title[title] + by_title["ST-UNet"]
    assert found["table2"] == found["table3"] == found["figure4"]


@pytest.mark.slow
def test_sizes() -> None:
    """Counts of the networks' own pages, for 13 classes and depth; a stitch costs what its alphas are."""
    full = find("mt_unet/table2")
    bench = Bench(full)
    size = {run.title: bench.cost(run).parameters for run in all_runs(entries(full))}
    assert size["ST-UNet segmentation, seed 0"] == 64_984_461
    assert size["MT-UNet, seed 0"] == 85_761_742
    assert size["STAN segmentation, seed 0"] == 38_170_701
    segnets = 24_973_901 + 24_973_901 - 12 * 65
    channels = 64 + 128 + 256 + 512 + 512 + 512 + 256 + 128 + 64
    assert size["Cross-Stitch (K x K), seed 0"] == segnets + 4 * channels
    assert size["Cross-Stitch (as MTAN's code), seed 0"] == segnets + 2 * 9


@pytest.mark.shared
@pytest.mark.parametrize(("name", "table"), [("mt_unet/table1", "table1"), ("mt_unet/table2", "table2")])
def test_rows_are_those_printed(name: str, table: str, shared: Path) -> None:
    printed = yaml.safe_load((shared / "spec" / "paper_tables.yaml").read_text())["papers"]["p003"]["tables"][table]["rows"]
    ours = [row.title for row in find(name).rows if "K x K" not in row.title]
    theirs = [row["method"] for row in printed if "19" not in row["method"]]
    assert [title.split(" (")[0] for title in ours] == [title.split(" (")[0].split(" with")[0] for title in theirs]
