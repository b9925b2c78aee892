"""The full-size recipe of the cross-stitch paper's table 6 against its protocol (p001)."""

import pytest
from recipes.rows import written

from taskweave.experiments.bench import Bench
from taskweave.experiments.plan import all_runs, entries
from taskweave.recipes.cross_stitch.tables import table6 as recipe


def test_data_and_regions() -> None:
    content = recipe().dump()
    data = content["data"]
    assert (data["use"], data["classes"]) == ("apascal", None)  # all 20
    regions = data["regions"]
    assert regions["foreground"] == 0.25 and regions["iou"] == 0.5  # 1 : 3
    assert set(regions["proposals"]) == {"path", "expected"}
    assert content["evaluation"]["batch_size"] == 1


def test_tasks() -> None:
    tasks = recipe().dump()["tasks"]
    (measure,) = tasks["detection"]["metrics"]
    assert (measure["use"], measure["interpolation"], measure["iou"]) == ("average_precision", "11-point", 0.5)  # VOC 2008
    assert tasks["attributes"]["scale"] == 1 / 64
    assert tasks["attributes"]["measured_on"] == "boxes"
    assert tasks["detection"]["weight"] == tasks["attributes"]["weight"] == 1.0


def test_network_and_methods() -> None:
    content = recipe().dump()
    network = {"use": "fast_rcnn_alexnet", "body": "caffenet", "hidden": 4096, "dropout": 0.5}
    assert content["networks"] == {task: {**network, "boxes": task == "detection"} for task in content["tasks"]}
    methods = [written(row) for row in recipe().methods]
    assert [m["use"] for m in methods] == ["ensemble", *["shared"] * 7, "shared_latent", "cross_stitch"]
    splits = {m["label"]: m["until"] for m in methods if m["use"] == "shared"}
    assert splits["split conv2"] == "pool1" and splits["split fc7"] == "fc6"  # the first layer that is not shared
    stitch = methods[-1]
    assert (stitch["per"], stitch["self_weight"], stitch["other_weight"]) == ("layer", 0.9, 0.1)
    assert stitch["rate"] in (100.0, 1000.0)  # 10^2 to 10^3 were best
    assert content["training"]["connected"]["steps"] == 10_000  # from one-task networks


@pytest.mark.slow
def test_sizes() -> None:
    """A 2 x 2 matrix at each of pool1, pool2, pool5, fc6, fc7; 21 scores and 84 differences against 64 attributes."""
    full = recipe()
    bench = Bench(full)
    size = {run.title: bench.cost(run).parameters for run in all_runs(entries(full))}
    detection, attributes = size["single detection, seed 0"], size["single attributes, seed 0"]
    assert detection - attributes == (21 + 84 - 64) * 4097
    assert size["cross-stitch, seed 0"] == detection + attributes + 5 * 4
    assert size["ensemble detection, seed 0"] == 2 * detection
    conv1 = 96 * (3 * 11 * 11 + 1)
    assert size["split conv2, seed 0"] == detection + attributes - conv1
    assert size["split last layer, seed 0"] == detection + (64 * 4097)


def test_operations_of_training_count_the_regions_that_are_drawn() -> None:
    """48 of a grid's 1172; each costs fc6 of 6 x 6 x 256, fc7, 8 scores and 8 boxes, an addition and a product a weight."""
    small = recipe(small=True)
    bench = Bench(small)
    single = next(run for run in all_runs(entries(small)) if run.title == "single detection, seed 0")
    region = 2 * (6 * 6 * 256 * 512 + 512 * 512 + 512 * 8 + 512 * 4 * 8)
    assert bench.cost(single).flops - bench.cost(single, training=True).flops == (1172 - 48) * region


def test_the_small_recipe_keeps_the_papers_rows() -> None:
    """Its classes are large or frequent, its splits the two of table 6 and the one of section 1.1; all others stay."""
    content = recipe(small=True).dump()
    assert set(content["data"]["classes"]) == {"person", "aeroplane", "bicycle", "cat", "diningtable", "sofa", "train"}
    kinds = [written(row)["use"] for row in recipe(small=True).methods]
    assert sorted(kinds) == ["cross_stitch", "ensemble", "shared", "shared", "shared", "shared_latent"]
    splits = {m["label"]: m["until"] for m in content["methods"] if m["use"] == "shared"}
    assert splits == {"split conv2": "pool1", "split fc6": "pool5", "split fc7": "fc6"}
    assert content["data"]["regions"]["proposals"].keys() == {"scales", "ratios", "overlap"}
    assert content["training"]["joint"]["steps"] == 280  # what a network has behind it that starts from single ones
