"""Cross-connected networks, table 1: pedestrians in one data set, segmentation in another, tested on a third."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.recipe import Recipe
from taskweave.heads.anchors import PEDESTRIANS
from taskweave.recipes.beside import Beside, at
from taskweave.recipes.cross_connected import methods as paper
from taskweave.recipes.places import Given, places

STEPS = 100_000
"""Of every single network, and of every network of both tasks on each data set. Ours: the paper's is not printed."""


@Beside(
    "cross_connected",
    ("table1",),
    rows=paper.PRINTED,
    columns={
        "caltech_MR": at("detection", "MR"),
        "cityscapes_IoU": at("segmentation", "IoU"),
        "kitti_MR": at("detection on kitti", "MR"),
    },
    small_columns={"caltech_MR": at("detection", "MR")},
    notes=("The number of points of the paper's miss rate is not given; ours has 9.",),
    small_notes=("The printed miss rates are Caltech's; these persons are Penn-Fudan's.",),
)
def recipe(*, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None) -> Recipe:
    """Single, single trained on, single-task cross-connected, share 1 to 4, cross-stitch, cross-connected.

    small: persons of Penn-Fudan beside the segmentation of NYUv2, tested on the persons of aPascal too.
    data: {"caltech", "cityscapes", "kitti"}; small: {"penn_fudan", "nyuv2", "apascal"} (default ../shared/data).
    seeds: default 0; the paper names none.
    """
    if small:
        shared = Path("../shared/data")
        defaults = {"penn_fudan": shared / "PennFudanPed", "nyuv2": shared / "nyuv2", "apascal": shared / "apascal"}
        return _small(places(data, defaults), seeds or (0,))
    own = {name: Path("datasets") / name for name in ("caltech", "cityscapes", "kitti")}
    return _full(places(data, own), seeds or (0,))


def _full(at: dict[str, Path], seeds: Sequence[int]) -> Recipe:
    """What the paper states; the rest is ours and said in the notes."""
    each = {"steps": STEPS, "batch_size": 1, "optimizer": {"use": "adam", "lr": 1e-5}}
    rate = {"use": "log_average_miss_rate", "low": 1e-2, "high": 1.0, "points": 9, "min_height": 50, "min_visible": 0.65}
    return Recipe(
        name="cross_connected-table1",
        data={
            "sets": {
                "caltech": {"use": "caltech", "path": at["caltech"], "train_step": 3, "test_step": 30},
                "cityscapes": {"use": "cityscapes", "path": at["cityscapes"], "classes": 2},
            },
            "mixture": {"use": "constant_interval", "batches": 1},
        },
        tasks={
            "segmentation": {"summed": True, "weight": 1.0, "target_class": "person"},
            "detection": {"metrics": [rate], "nms": 0.7},
        },
        networks=paper.networks(PEDESTRIANS.heights, PEDESTRIANS.ratios),
        start="library",
        methods=paper.methods(rate=100.0),
        training={"single": each, "connected": {**each, "steps": 2 * STEPS}},
        seeds=seeds,
        further_tests={"kitti": {"data": {"use": "kitti", "path": at["kitti"]}}},
        evaluation={"batch_size": 1},
        notes=(
            "p000 table 1. Ours, since it is not in the paper: iterations, optimiser, rate, batch size, the interval "
            "between data sets (1), 9 points of the miss rate, anchors (Zhang et al. 2016), matching IoU .5, where "
            "VGG-16 starts (ImageNet), which task's single network the shared trunk starts from (segmentation's). Single, "
            "trained on is our addition."
        ),
    )


def _small(at: dict[str, Path], seeds: Sequence[int]) -> Recipe:
    return Recipe(
        name="cross_connected-table1-small",
        data={
            "sets": {
                "penn_fudan": paper.small_set("penn_fudan", at["penn_fudan"], labels=("detection",), keep_aspect=True),
                "nyuv2": paper.small_set("nyuv2_folder", at["nyuv2"], classes=13),
            },
            "mixture": {"use": "constant_interval", "batches": 1},
        },
        tasks=paper.small_tasks(),
        networks=paper.small_networks((28, 38, 52, 70, 94, 127), (0.41,)),
        start=paper.SMALL_START,
        methods=paper.methods(rate=10.0),
        training=paper.small_training(),
        seeds=seeds,
        further_tests=paper.persons_of_apascal(at["apascal"]),
        evaluation={"batch_size": 8},
        notes="p000 table 1, small: other data, size, width (a quarter), batch norm, and amounts of training.",
    )
