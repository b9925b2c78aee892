"""Tables that vary one thing (start, rate, backbone, shortcut) against the papers' protocols and rows (p001, p002)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from recipes.rows import written

from taskweave.experiments.bench import Bench
from taskweave.experiments.plan import all_runs, entries
from taskweave.recipes.catalogue import find

NDDR_TABLES = ("table1", "table2", "table3", "table4", "table5", "table6")
"""Those that have table 4's protocol; A1 and A2 see below."""


def content(name: str, *, small: bool = False) -> dict[str, Any]:
    return find(name, small=small).dump()


def methods(name: str, *, small: bool = False) -> list[dict[str, Any]]:
    return [written(row) for row in find(name, small=small).methods]


def numbers(found: Sequence[Mapping[str, Any]], *fields: str) -> list[tuple[Any, ...]]:
    return [tuple(method[field] for field in fields) for method in found]


@pytest.mark.parametrize("table", [*NDDR_TABLES, "table_a2"])
def test_nddr_tables_have_one_protocol(table: str) -> None:
    """Of table 4, which is compared with the paper in test_table4."""
    one, other = content(f"nddr/{table}"), content("nddr/table4")
    same = ["data", "tasks", "training", "seeds", "evaluation"]
    if table != "table5":
        same += ["network", "at", "start"]
    assert {key: one[key] for key in same} == {key: other[key] for key in same}


def test_nddr_table1() -> None:
    found = methods("nddr/table1")
    weights = [(1.0, 0.0), (0.9, 0.1), (0.5, 0.5), (0.1, 0.9), (0.0, 1.0)]
    assert numbers(found[:5], "self_weight", "other_weight", "initial") == [(*pair, "diagonal") for pair in weights]
    assert found[5]["initial"] == "xavier"
    assert {m["rate"] for m in found} == {100.0}


def test_nddr_table2() -> None:
    found = methods("nddr/table2")
    assert [m["rate"] for m in found] == [1.0, 10.0, 100.0, 1000.0]
    assert {(m["self_weight"], m["other_weight"], m["order"]) for m in found} == {(0.9, 0.1, "authors")}


def test_nddr_table3() -> None:
    found = methods("nddr/table3")
    assert found[0]["start"] == {"use": "library"}  # ImageNet's
    assert found[1]["start"] == content("nddr/table3")["start"]  # VOC's, where the single networks begin
    assert found[2]["start"] is None
    schedules = [entry.runs[0].schedule for entry in entries(find("nddr/table3"))]
    assert schedules == ["single", "trained_on", "joint", "joint", "connected"]


def test_nddr_table5() -> None:
    network = content("nddr/table5")["network"]
    assert (network["body"], network["head"]["use"], network["head"]["hidden"]) == ("resnet101", "aspp", None)
    assert content("nddr/table5")["at"] == ["stem", "layer1", "layer2", "layer3", "layer4"]
    assert [m["use"] for m in methods("nddr/table5")] == ["shared", "cross_stitch", "sluice", "nddr"]


@pytest.mark.slow
def test_nddr_table5_sizes() -> None:
    """Channels 64, 256, 512, 1024, 2048: 11,149,312 weights of 1x1 convolutions per task, and a batch norm each."""
    full = find("nddr/table5")
    wanted = [run for run in all_runs(entries(full)) if run.schedule == "single" or run.title.startswith("NDDR")]
    size = {run.title: Bench(full).cost(run).parameters for run in wanted}
    both = size["single segmentation, seed 1234"] + size["single normals, seed 1234"]
    assert size["NDDR, seed 1234"] - both == 2 * 11_149_312 + 4 * (64 + 256 + 512 + 1024 + 2048)


def test_nddr_table6() -> None:
    found = methods("nddr/table6")
    assert [m["use"] for m in found] == ["single", "shared", "cross_stitch", "sluice", "nddr"]
    assert all(m["shortcut"] == {"use": "shortcut", "channels": 512, "normalise": True} for m in found)
    plain = [m | {"shortcut": None} for m in found[1:]]
    assert plain == list(methods("nddr/table4"))  # nothing else differs


@pytest.mark.slow
def test_nddr_table6_sizes() -> None:
    """1472 channels to 512: 753,664 weights per task, and a batch norm."""
    runs = {}
    for table in ("table4", "table6"):
        full = find(f"nddr/{table}")
        runs[table] = {
            run.title.replace(" + shortcut", ""): Bench(full).cost(run).parameters
            for run in all_runs(entries(full))
            if run.schedule in ("single", "connected") and "sluice" not in run.title
        }
    more = {title: runs["table6"][title] - size for title, size in runs["table4"].items()}
    assert {title: extra // (753_664 + 2 * 512) for title, extra in more.items()} == {
        "single segmentation, seed 1234": 1,
        "single normals, seed 1234": 1,
        "cross-stitch, seed 1234": 2,
        "NDDR, seed 1234": 2,
    }
    assert all(extra % (753_664 + 2 * 512) == 0 for extra in more.values())


def test_nddr_table_a1() -> None:
    one, theirs, ours = content("nddr/table_a1"), content("cross_stitch/table5"), content("nddr/table4")
    assert {key: one[key] for key in ("network", "at", "start", "training")} == {
        key: theirs[key] for key in ("network", "at", "start", "training")
    }
    assert one["tasks"] == ours["tasks"]
    assert one["methods"] == ours["methods"][1:]


def test_nddr_table_a2() -> None:
    found = methods("nddr/table_a2")
    assert numbers(found[:3], "self_weight", "other_weight", "rate") == [
        (0.9, 0.1, 1000.0),
        (0.7, 0.3, 1000.0),
        (0.5, 0.5, 1000.0),
    ]
    assert numbers(found[3:], "self_weight", "rate") == [(0.9, 1.0), (0.9, 10.0), (0.9, 100.0), (0.9, 1000.0)]
    first, *_, last = [entry.runs[0].digest for entry in entries(find("nddr/table_a2")) if entry.row.unit is not None]
    assert first == last, "(0.9, 0.1) at 1000 times the rate is one training"


CROSS_STITCH = ("table1", "table2", "table3", "table5")


@pytest.mark.parametrize("table", CROSS_STITCH)
def test_cross_stitch_tables_have_the_papers_protocol(table: str) -> None:
    one = content(f"cross_stitch/{table}")
    assert one["network"] == {"use": "fcn32s_alexnet", "body": "caffenet", "hidden": 4096, "dropout": 0.5}
    assert one["at"] == ["pool1", "pool2", "pool5", "fc6", "fc7"]
    assert one["start"]["use"] == "file"
    training = one["training"]
    assert training["single_steps"] == {"normals": 15_000}
    for stage, steps in (("single", 25_000), ("connected", 10_000), ("joint", 30_000)):
        assert training[stage]["steps"] == steps
        assert training[stage]["batch_size"] == 20
        assert training[stage]["optimizer"]["use"] == "sgd"
    data, varied = one["data"], one["data"]["augment"]
    assert (data["classes"], data["size"], [how["use"] for how in varied]) == (40, None, ["colour", "mirror"])
    assert varied[0]["strength"] > 0
    normals, segmentation = one["tasks"]["normals"], one["tasks"]["segmentation"]
    assert (normals["use"], normals["directions"], normals["manhattan"]) == ("normals_by_codebook", 20, True)
    assert (normals["angles"], normals["loss_resolution"], segmentation["loss_resolution"]) == ("true", "full", "full")
    assert {task[key] for task in (normals, segmentation) for key in ("weight", "single_weight")} == {1.0}


def test_cross_stitch_rows() -> None:
    first, second, third = (methods(f"cross_stitch/table{n}") for n in (1, 2, 3))
    assert numbers(first, "self_weight", "other_weight", "rate") == [
        (0.1, 0.9, 100.0),
        (0.5, 0.5, 100.0),
        (0.7, 0.3, 100.0),
        (0.9, 0.1, 100.0),
    ]
    assert [m["rate"] for m in second] == [1.0, 10.0, 100.0, 1000.0]
    assert first[-1] | {"label": ""} == second[2] | {"label": ""}  # (.9, .1) at 100 times the rate is in both
    assert third[0]["start"]["use"] == "file" and third[1]["start"] is None
    for m in (*second, *third):
        assert (m["per"], m["self_weight"], m["other_weight"]) == ("channel", 0.9, 0.1)


def test_cross_stitch_table5_rows() -> None:
    found = methods("cross_stitch/table5")
    kinds = [m["use"] for m in found]
    assert kinds == ["ensemble", *["shared"] * 7, "shared_latent", "cross_stitch"]
    assert next(m["until"] for m in found if m["label"] == "split conv4") == "conv3"  # conv4 is the first that is not
    assert found[-1] | {"label": ""} == methods("cross_stitch/table3")[1] | {"label": ""}


@pytest.mark.slow
def test_cross_stitch_sizes() -> None:
    """8,800 units of four numbers; one-task networks that differ by their last layer alone."""
    full = find("cross_stitch/table5")
    size = {run.title: Bench(full).cost(run).parameters for run in all_runs(entries(full)) if run.schedule != "trained_on"}
    segmentation, normals = size["single segmentation, seed 0"], size["single normals, seed 0"]
    assert segmentation - normals == 20 * 4097
    assert size["cross-stitch, seed 0"] == segmentation + normals + 4 * 8_800
    assert size["ensemble normals, seed 0"] == 2 * normals


ALL = (*(f"nddr/{t}" for t in (*NDDR_TABLES, "table_a1", "table_a2")), *(f"cross_stitch/{t}" for t in CROSS_STITCH))


@pytest.mark.parametrize("name", ALL)
def test_small_forms_have_the_same_rows(name: str) -> None:
    small, full = methods(name, small=True), methods(name)
    assert [m["use"] for m in small][: len(full)] == [m["use"] for m in full]
    swept = ("self_weight", "other_weight", "initial", "until")
    if "table2" in name or name.endswith("a2"):
        swept = (*swept, "rate")
        assert content(name, small=True)["training"]["connected"]["optimizer"]["use"] == "sgd"
    for one, other in zip(small, full, strict=False):
        same = [key for key in swept if key in one and not (key == "until" and one[key] == "layer4")]
        assert {key: one[key] for key in same} == {key: other[key] for key in same}
    if name.startswith("nddr"):
        assert seen_at(name, (96, 128) if "table1" in name or "rate" in swept else (128, 160))


def seen_at(name: str, size: tuple[int, int]) -> bool:
    """Sweeps have more rows, so smaller pictures; all else of the data is table 4's, whose pictures are 128 x 160."""
    data, usual = (content(recipe, small=True)["data"] for recipe in (name, "nddr/table4"))
    assert usual["size"] == usual["augment"][1]["size"] == [128, 160]
    scale, crop, mirror = usual["augment"]
    return bool(data == usual | {"size": [*size], "augment": [scale, crop | {"size": [*size]}, mirror]})


PRINTED = {
    "nddr/table1": ("p002", "table1"),
    "nddr/table2": ("p002", "table2"),
    "nddr/table3": ("p002", "table3"),
    "nddr/table_a2": ("p002", "tableA2_init", "tableA2_scale"),
    "cross_stitch/table1": ("p001", "table1"),
    "cross_stitch/table2": ("p001", "table2"),
    "cross_stitch/table3": ("p001", "table3"),
}


@pytest.mark.shared
@pytest.mark.parametrize("name", PRINTED)
def test_rows_are_those_printed(name: str, shared: Path) -> None:
    paper, *tables = PRINTED[name]
    printed = yaml.safe_load((shared / "spec" / "paper_tables.yaml").read_text())["papers"][paper]["tables"]
    rows = [str(next(iter(row.values()))) for table in tables for row in printed[table]["rows"]]
    labels = [m["label"].removeprefix("rate x ").partition(" (")[0] for m in methods(name)]
    assert [label.lower().replace(" ", "") for label in labels] == [row.lower().replace(" ", "") for row in rows]
