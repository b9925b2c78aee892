"""What the MT-UNet paper's tables have in common: its protocol, and the small size of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import Columns, Rows, at
from taskweave.recipes.usual import Given, Seeds, by_adam, place, varied

EPOCHS = 200
SIZE, SMALL_SIZE = (128, 256), (64, 96)
"""(height, width) of both data sets' pictures."""
IMAGES = {"nyuv2": 795, "cityscapes": 2975}
BATCH = {"nyuv2": 2, "cityscapes": 8}

SMALL_UNET = {"use": "st_unet", "widths": (12, 24, 48, 96), "dropout": 0.0, "bn_eps": 1e-2}
SMALL_WIDTHS = {"widths": (12, 24, 48, 96, 96)}
"""Of the small SegNets."""
SCENES = {"use": "scenes", "steps": 200, "batch_size": 8, "images": 1000, "size": SMALL_SIZE}
"""The start of the small recipes: one body for the U-Nets, one for the SegNets."""

PRINTED_SEGMENTATION: Columns = {"IoU_pixel_acc": at("segmentation", "pixacc"), "mIoU": at("segmentation", "mIoU")}
PRINTED_COLUMNS: Columns = {**PRINTED_SEGMENTATION, "depth_abs": at("depth", "abs"), "depth_rel": at("depth", "rel")}
PRINTED_ROWS: Rows = {
    "ST-UNet": ("ST-UNet (Ours)",),
    "STAN": ("STAN",),
    "Dense": ("Dense",),
    "Cross-Stitch (as MTAN's code)": ("Cross-Stitch",),
    "MTAN": ("MTAN",),
}
"""The rows that tables 1 and 2 have beside MT-UNet."""
PIXEL_ACCURACY = "What the paper's column calls IoU is pixel accuracy."
QUOTED = "Its rows STAN, Dense, Cross-Stitch and MTAN seem to be quoted from the MTAN paper; ours are trained here."

INVERSE = "Depth is inverse (disparities as the files have them); the paper's relative errors are on another scale."
STAND_IN = (
    "A named stand-in: the paper's table is of Cityscapes; these are NYUv2's 13 classes and depth in metres, rooms instead "
    "of streets."
)


def mt_unet(*, small: bool, label: str, weighting: Any = None, cross_talk: bool = True) -> dict[str, Any]:
    """MT-UNet; weighting: None for the paper's, eq. 5."""
    learned = {"use": "variance_ratio", "learning_rate": 1e-3, "window": 3 if small else 5}
    net = {"use": "mt_unet", "network": SMALL_UNET if small else "st_unet", "cross_talk": cross_talk}
    return {**net, "weighting": weighting or learned, "label": label}


def others(*, small: bool) -> list[Any]:
    """The MTAN paper's networks in the order of tables 1 and 2, and beside its "Cross-Stitch" the unit of Misra et al."""
    widths = SMALL_WIDTHS if small else {}
    stitched = {"network": {"use": "segnet_vgg16", **widths}, "start": SCENES if small else "scratch"}
    faster = {"rate": 10.0} if small else {}
    return [
        {"use": "single", "network": {"use": "stan_segnet", **widths}, "label": "STAN"},
        {"use": "dense_segnet", **widths},
        {"use": "common_stitch", **stitched, "label": "Cross-Stitch (as MTAN's code)"},
        {"use": "cross_stitch", **stitched, **faster, "label": "Cross-Stitch (K x K)"},
        {"use": "mtan_segnet", **widths},
    ]


def full(
    table: str,
    methods: Sequence[Any],
    *,
    data: Mapping[str, Any],
    of: Literal["nyuv2", "cityscapes"],
    seeds: Seeds,
    notes: str = "",
) -> Recipe:
    """A table at full size: 200 epochs of Adam at 1e-4, whatever the network. seeds: default 0; the paper names none."""
    steps = EPOCHS * -(-IMAGES[of] // BATCH[of])  # the last batch of an epoch filled up
    training = {"steps": steps, "batch_size": BATCH[of], "optimizer": {"use": "adam", "lr": 1e-4}}
    return Recipe(
        name=f"mt_unet-{table}",
        data=data,
        tasks={"segmentation": {}, "depth": {}},
        network="st_unet",
        methods=[{"use": "single", "label": "ST-UNet"}, *methods],
        training={"single": training, "connected": training, "joint": training},
        seeds=seeds or (0,),
        evaluation={"batch_size": 8},
        notes=(
            f"p003 {table}. Its column IoU is pixel accuracy. MT-UNet's losses are weighed by eq. 5, the others' by 1. The "
            "paper seems to quote the rows of the MTAN family from the MTAN paper; here all are trained alike, by its own "
            f"protocol. {notes}"
        ).strip(),
    )


def cityscapes(data: Given, *, classes: Literal[7, 19], small: bool = False) -> dict[str, Any]:
    """MTAN's npy tree of Cityscapes at 128 x 256 (default datasets/cityscapes_mtan). small: read at 96 x 192."""
    return {
        "use": "cityscapes_mtan",
        "path": place(data, Path("datasets/cityscapes_mtan")),
        "classes": classes,
        "size_of_files": SIZE,
        "size": (96, 192) if small else SIZE,
        "augment": ["mirror"] if small else [],
    }


def nyuv2(data: Given) -> dict[str, Any]:
    """MTAN's npy tree of NYUv2 (default datasets/nyuv2_mtan)."""
    path = place(data, Path("datasets/nyuv2_mtan"))
    return {"use": "nyuv2_mtan", "path": path, "classes": 13, "size": SIZE, "augment": []}


def small(table: str, methods: Sequence[Any], *, data: Mapping[str, Any], seeds: Seeds, notes: str = "") -> Recipe:
    """A table at a size for two cores. What differs from the full size differs for all methods alike.

    Chosen on a quarter of the training part (by scene), by ST-UNet alone: with dropout and eps at 1e-5 to 1e-3 its depth
    was no better than a constant, and a last layer at the rate of the rest does not reach depths of 3 m in so few steps.
    """
    training = by_adam(240, lr=1e-3, last_layer_lr=10.0)
    return Recipe(
        name=f"mt_unet-{table}-small",
        data=data,
        tasks={"segmentation": {}, "depth": {}},
        network=SMALL_UNET,
        start=SCENES,
        methods=[{"use": "single", "label": "ST-UNet"}, *methods],
        training={"single": training, "connected": training, "joint": training},
        seeds=seeds or (0,),
        evaluation={"batch_size": 8},
        notes=(
            f"p003 {table}, small: thinner networks, another size, start, rate, amount of data and of training; eq. 5 over "
            f"a window of 3 epochs. {notes}"
        ).strip(),
    )


def small_nyuv2(data: Given) -> dict[str, Any]:
    """NYUv2 as a folder of rgb/, depth/, label13/, gt_sets/ (default ../shared/data/nyuv2)."""
    path = place(data, Path("../shared/data/nyuv2"))
    return {
        "use": "nyuv2_folder",
        "path": path,
        "classes": 13,
        "size": SMALL_SIZE,
        "augment": varied(SMALL_SIZE, colour=0.0),
    }
