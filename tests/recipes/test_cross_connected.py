"""The full-size recipes of the cross-connected paper's tables 1 and 2 against its protocol (p000)."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from recipes.rows import written

from taskweave.experiments.bench import Bench
from taskweave.experiments.columns import columns_of
from taskweave.experiments.plan import all_runs, entries
from taskweave.experiments.recipe import Recipe
from taskweave.recipes.cross_connected.tables import penn_fudan, table1, table2

PLACES = ["conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3", "conv4_1", "conv4_2", "conv4_3"]
CONVOLUTIONS = {64: [3, 64], 128: [64, 128], 256: [128, 256, 256], 512: [256, 512, 512]}
"""{channels: the input channels of its 3x3 layers}: conv1_1 ... conv4_3."""
BOTH = [table1, table2]


def shared_parameters(blocks: int) -> int:
    """Weights and biases of VGG-16's 3x3 layers up to a pool."""
    of_block = [sum(9 * given * channels + channels for given in inputs) for channels, inputs in CONVOLUTIONS.items()]
    return sum(of_block[:blocks])


def content(recipe: Recipe) -> dict[str, Any]:
    return recipe.dump()


def test_pedestrians_of_two_data_sets_and_a_third_to_test_on() -> None:
    recipe = table1()
    data = content(recipe)["data"]
    assert data["mixture"] == {"use": "constant_interval", "batches": 1}
    assert not data["mixed_batches"]  # one data set switches with the other
    caltech, cityscapes = data["sets"]["caltech"], data["sets"]["cityscapes"]
    assert (caltech["use"], caltech["train_step"], caltech["test_step"]) == ("caltech", 3, 30)  # 42,782 and 4,024 images
    assert (cityscapes["use"], cityscapes["classes"]) == ("cityscapes", 2)  # person and rider merged
    kitti = content(recipe)["further_tests"]["kitti"]
    assert kitti["data"]["use"] == "kitti"  # all 7,481 of its training images are one test part
    assert {(c.name, c.data, c.further) for c in columns_of(recipe)} == {
        *[("detection", "caltech", False), ("segmentation", "cityscapes", False)],
        ("detection on kitti", "kitti", True),
    }


def test_birds_of_one_data_set_and_another_to_test_on() -> None:
    recipe = table2()
    kinki, tomamae = content(recipe)["data"], content(recipe)["further_tests"]["tomamae"]["data"]
    assert (kinki["use"], kinki["area"], recipe.data.picture_size) == ("birds", "right half", (3744, 2808))
    assert (tomamae["area"], tomamae["image_size"]) == ("whole", [2160, 3840])
    assert kinki["least_height"] == tomamae["least_height"] == 15
    assert {(c.name, c.further) for c in columns_of(recipe)} == {
        *[("detection", False), ("segmentation", False), ("detection on tomamae", True)]
    }


def test_what_is_measured_on_pedestrians() -> None:
    detection = content(table1())["tasks"]["detection"]
    (rate,) = detection["metrics"]
    assert (rate["use"], rate["low"], rate["high"], rate["points"]) == ("log_average_miss_rate", 1e-2, 1.0, 9)
    assert (rate["min_height"], rate["min_visible"], rate["iou"]) == (50, 0.65, 0.5)
    assert detection["nms"] == 0.7


def test_what_is_measured_on_birds() -> None:
    """The paper does not say how many points its range has: the table has both readings."""
    detection = content(table2())["tasks"]["detection"]
    rates = detection["metrics"]
    assert [(rate["low"], rate["high"], rate["points"]) for rate in rates] == [(1e-2, 1e2, 9), (1e-2, 1e2, 17)]
    assert {rate["min_height"] for rate in rates} == {15} and {rate["min_visible"] for rate in rates} == {0}
    assert len({rate["name"] for rate in rates}) == 2
    assert detection["nms"] == 0.1


@pytest.mark.parametrize(("build", "target"), [(table1, "person"), (table2, "bird")])
def test_losses(build: Any, target: str) -> None:
    """Smooth L1 and cross-entropy; cross-entropy summed over pixels; lambda = 1. The IoU is that of the target areas."""
    tasks = content(build())["tasks"]
    assert tasks["segmentation"]["summed"] is True and tasks["segmentation"]["loss"] == "cross_entropy"
    assert tasks["detection"]["weight"] == tasks["segmentation"]["weight"] == 1.0
    assert tasks["detection"]["box_weight"] == 1.0
    assert tasks["segmentation"]["target_class"] == target


@pytest.mark.parametrize("build", BOTH)
def test_networks(build: Any) -> None:
    recipe = build()
    networks = content(recipe)["networks"]
    rpn, pspnet = networks["detection"], networks["segmentation"]
    assert (rpn["use"], rpn["width"], rpn["batch_norm"]) == ("rpn_vgg16", 64, False)
    assert (pspnet["use"], pspnet["width"], pspnet["bins"]) == ("pspnet_vgg16", 64, [1, 2, 3, 6])
    assert recipe.start.name == "library"  # ImageNet's VGG-16


def test_anchors() -> None:
    rpn = content(table1())["networks"]["detection"]
    assert rpn["ratios"] == [0.41] and len(rpn["heights"]) == 9
    steps = [b / a for a, b in zip(rpn["heights"], rpn["heights"][1:], strict=False)]
    assert steps == pytest.approx([1.3] * 8) and rpn["heights"][0] == 40
    birds = content(table2())["networks"]["detection"]
    assert min(birds["heights"]) < 15 and len(birds["ratios"]) > 1


@pytest.mark.parametrize("build", [*BOTH, penn_fudan])
def test_methods(build: Any) -> None:
    """The paper's ten rows without the networks' own names, and the single networks trained on, which are ours."""
    rows = {row.title: written(row) for row in build().rows}
    assert list(rows) == [
        *("single", "single, trained on", "single-task cross-connected", "share 1", "share 2", "share 3", "share 4"),
        *("cross-stitch", "cross-connected"),
    ]
    ours = rows["cross-connected"]
    assert (ours["use"], ours["gate"], ours["linear"], ours["links"]) == ("cross_connection", False, False, [])
    alone = rows["single-task cross-connected"]
    (crossed,) = (row.method for row in build().rows if row.title == "cross-connected")
    assert alone["connected"] == crossed.dump()
    assert [rows[f"share {k}"]["until"] for k in (1, 2, 3, 4)] == ["conv1_2", "conv2_2", "conv3_3", "conv4_3"]
    assert rows["cross-stitch"]["use"] == "scale_layer"


@pytest.mark.parametrize("build", BOTH)
def test_connections_begin_at_the_single_networks_and_tune_them(build: Any) -> None:
    runs = {run.title: run for run in all_runs(entries(build()))}
    singles = {runs["single detection, seed 0"].digest, runs["single segmentation, seed 0"].digest}
    for title in ("cross-connected", "cross-stitch", "single-task cross-connected detection"):
        assert singles == {parent.digest for parent in runs[f"{title}, seed 0"].parents}, title
    for task in ("detection", "segmentation"):
        assert runs[f"single-task cross-connected {task}, seed 0"].trained == (task,)


@pytest.mark.parametrize("build", BOTH)
def test_sizes(build: Any) -> None:
    """From shapes alone: two networks; less what Share k has once; 2,048,000 + 5,376 numbers of the cross-connections."""
    recipe = build()
    bench = Bench(recipe)
    size = {run.title.removesuffix(", seed 0"): bench.cost(run).parameters for run in all_runs(entries(recipe))}
    both = size["single detection"] + size["single segmentation"]
    assert size["cross-connected"] - both == 2_048_000 + 5_376 == 2_053_376
    assert size["cross-stitch"] - both == 5_376
    for task in ("detection", "segmentation"):  # as large as the proposed network, as the paper says
        assert size[f"single-task cross-connected {task}"] == size["cross-connected"]
    for k in (1, 2, 3, 4):
        assert both - size[f"share {k}"] == shared_parameters(k)
    assert shared_parameters(4) == 7_635_264
    anchors, classes = (9, 2) if build is table1 else (21, 4)
    assert size["single detection"] == 14_714_688 + (9 * 512 + 1) * 512 + (512 + 1) * 6 * anchors
    branches, join = 4 * (512 + 1) * 128, (9 * 1024 + 1) * 512
    assert size["single segmentation"] == 14_714_688 + branches + join + (512 + 1) * classes


@pytest.mark.parametrize("build", BOTH)
def test_units_go_after_the_ten_layers(build: Any) -> None:
    from taskweave.networks import pspnet_vgg16, rpn_vgg16

    recipe = build()
    assert recipe.at == () and all(written(row).get("at", []) == [] for row in recipe.rows)
    for network in (rpn_vgg16(2, width=4, hidden=4), pspnet_vgg16(2, width=4, hidden=4)):
        assert list(network.usual_stages) == PLACES


def test_small_forms_have_every_method_on_the_data_that_are_there() -> None:
    kinds = {
        table1: ({"penn_fudan": "penn_fudan", "nyuv2": "nyuv2_folder"}, ["apascal"]),
        table2: ({"naip": "box_csv", "penn_fudan": "penn_fudan"}, []),
    }
    for build, (sets, further) in kinds.items():
        small, full = content(build(small=True)), build()
        assert [m.title for m in build(small=True).rows] == [m.title for m in full.rows]
        assert {name: one["use"] for name, one in small["data"]["sets"].items()} == sets
        assert [test["data"]["use"] for test in small["further_tests"].values()] == further
    one = content(penn_fudan())
    assert one["data"]["use"] == "penn_fudan" and one["further_tests"]["aPascal"]["data"]["classes"] == ["person"]


def test_the_rows_and_the_protocol_of_the_printed_tables(shared: Path) -> None:
    printed = yaml.safe_load((shared / "spec" / "paper_tables.yaml").read_text())["papers"]["p000"]
    for build, name in ((table1, "table1"), (table2, "table2")):
        table, recipe = printed["tables"][name], build()
        said = {row["method"].split(" (")[0].lower() for row in table["rows"]}
        titles = {m.title for m in recipe.rows}
        assert {row.replace("single-task cross-connected", "x").replace("single-task", "single") for row in said} == {
            title.replace("single-task cross-connected", "x") for title in titles - {"single, trained on"}
        }
        detection = content(recipe)["tasks"]["detection"]
        for rate in detection["metrics"]:
            assert (rate["low"], rate["high"]) == (table["protocol"]["fppi_min"], table["protocol"]["fppi_max"])
        assert detection["nms"] == table["protocol"]["nms"]
    sizes = printed["dataset_sizes"]
    (rate,) = content(table1())["tasks"]["detection"]["metrics"]
    assert (rate["min_height"], rate["min_visible"]) == (sizes["min_pedestrian_height_px"], sizes["min_visible"])
    assert content(table2())["data"]["least_height"] == sizes["min_bird_height_px"]
