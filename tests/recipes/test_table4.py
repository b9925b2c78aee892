"""The full-size recipe of NDDR-CNN's table 4 against the protocol: the paper and, where silent, its code."""

import pytest
from recipes.rows import written

from taskweave.experiments.bench import Bench
from taskweave.experiments.plan import all_runs, entries
from taskweave.experiments.recipe import Recipe
from taskweave.recipes.nddr.tables import table4 as recipe

# steps and learning rate: lr .001 (1 - step/20001)^.9, SGD momentum .9, batch 10
PROTOCOL = {
    "steps": 20001,
    "batch_size": 10,
    "optimizer": {"use": "sgd", "lr": 1e-3, "momentum": 0.9, "nesterov": False},
    "schedule": {"use": "poly", "power": 0.9, "total": 20001, "warm_up": 0},
    "last_layer_lr": 10.0,
    "bias_lr": 20.0,
    "choose": "last",
    "accumulate": 1,
}


@pytest.fixture(scope="module")
def full() -> Recipe:
    return recipe()


@pytest.mark.parametrize("stage", ["single", "connected", "joint"])
def test_training(full: Recipe, stage: str) -> None:
    options = full.dump()["training"][stage]
    assert {key: options[key] for key in PROTOCOL} == PROTOCOL
    decay = 5e-4 if stage == "single" else 2.5e-4  # wd * l2_loss, with * .5 in the multi-task script only
    assert options["weight_decay"] == {"streams": decay, "heads": decay, "connections": decay, "norms_and_biases": False}


def test_data(full: Recipe) -> None:
    data = full.dump()["data"]
    assert data["use"] == "nyuv2_lists"
    assert data["classes"] == 40
    assert data["size"] is None  # tested at 480 x 640
    assert data["statistics"] == "caffe"
    scale, crop, mirror = data["augment"]
    assert (scale["use"], scale["least"], scale["most"]) == ("random_scale", 0.5, 1.5)
    assert (crop["use"], crop["size"], mirror["use"]) == ("random_crop", [321, 321], "mirror")
    assert full.seeds == (1234,)


def test_tasks(full: Recipe) -> None:
    segmentation, normals = full.dump()["tasks"].values()
    assert list(full.tasks) == ["segmentation", "normals"]
    assert (segmentation["loss"], segmentation["weight"], segmentation["loss_resolution"]) == (
        "cross_entropy",
        1.0,
        "eighth",
    )
    assert (normals["loss"], normals["weight"], normals["single_weight"]) == ("cosine", 20.0, 10.0)
    assert normals["loss_resolution"] == "eighth"
    assert normals["angles"] == "raw_uint8"


def test_network_and_places(full: Recipe) -> None:
    network = full.dump()["network"]
    assert network == {
        "use": "deeplab_vgg16",
        "head": {"use": "large_fov", "hidden": 1024, "rate": 12, "dropout": 0.5, "batch_norm": None},  # its network's
        "batch_norm": True,
        "bn_momentum": 0.05,  # decay .95
        "bn_eps": 1e-3,
    }
    assert full.at == ("pool1", "pool2", "pool3", "pool4", "pool5")
    assert full.start.name == "file"


def test_methods(full: Recipe) -> None:
    methods = {m["use"]: m for m in map(written, full.methods)}
    assert list(methods) == ["shared", "cross_stitch", "sluice", "nddr"]
    assert methods["shared"]["until"] == "pool5"
    stitch, nddr = methods["cross_stitch"], methods["nddr"]
    assert (stitch["self_weight"], stitch["other_weight"], stitch["rate"]) == (0.9, 0.1, 1000.0)
    assert (nddr["self_weight"], nddr["other_weight"], nddr["rate"]) == (0.9, 0.1, 100.0)
    assert nddr["order"] == "authors"
    assert methods["sluice"]["subspaces"] == 2


@pytest.mark.slow
def test_sizes_against_counts_from_the_paper(full: Recipe) -> None:
    """From shapes alone. A DeepLab-LargeFOV VGG-16 with batch norm has 20,531,176 numbers for 40 classes (paper_facts)."""
    bench = Bench(full)
    cost = {run.title: bench.cost(run) for run in all_runs(entries(full))}
    segmentation = cost["single segmentation, seed 1234"].parameters
    normals = cost["single normals, seed 1234"].parameters
    assert segmentation == 20_531_176
    assert normals == segmentation - 37 * (1024 + 1)  # fc8 with 3 instead of 40 outputs
    both = segmentation + normals
    assert cost["NDDR, seed 1234"].parameters == both + 2_447_104  # 1x1 weights and batch norms, both tasks
    assert cost["cross-stitch, seed 1234"].parameters == both + 4 * 1472
    # 1x1 convolutions are 2 * 2,441,216 multiply-adds weighted by the pixels of their place
    pixels = {"pool1": 240 * 320, "pool2": 120 * 160, "pool3": 60 * 80, "pool4": 60 * 80, "pool5": 60 * 80}
    widths = {"pool1": 64, "pool2": 128, "pool3": 256, "pool4": 512, "pool5": 512}
    extra = sum(2 * 4 * widths[p] ** 2 * pixels[p] for p in pixels)
    singles = cost["single segmentation, seed 1234"].flops + cost["single normals, seed 1234"].flops
    assert cost["NDDR, seed 1234"].flops - singles == extra
    assert cost["shared until pool5, seed 1234"].flops < 0.7 * singles


def test_small_form_names_every_method() -> None:
    titles = [m.title for m in recipe(small=True).rows]
    assert titles == [
        "single",
        "single, trained on",
        "shared until layer4",
        "cross-stitch",
        "sluice",
        "NDDR",
        "cross-connected",
    ]
