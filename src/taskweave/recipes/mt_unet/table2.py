"""MT-UNet, table 2: segmentation into 13 classes and depth on NYUv2, beside ST-UNet and the MTAN family."""

from __future__ import annotations

from collections.abc import Sequence

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import Beside
from taskweave.recipes.mt_unet import protocol
from taskweave.recipes.places import Given


@Beside(
    "mt_unet",
    ("table2",),
    rows={**protocol.PRINTED_ROWS, "MT-UNet": ("MT-UNet",)},
    columns=protocol.PRINTED_COLUMNS,
    notes=(protocol.PIXEL_ACCURACY, protocol.QUOTED, "The paper does not give the unit of its depth; here metres."),
)
def recipe(*, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None) -> Recipe:
    """ST-UNet, STAN, Dense, Cross-Stitch as MTAN's code and K x K, MTAN, MT-UNet.

    small: networks of a fifth of the width at 64 x 96, bodies pre-trained on generated scenes.
    data: full size: MTAN's npy tree (default datasets/nyuv2_mtan); small: a folder of rgb/, depth/, label13/, gt_sets/
        (default ../shared/data/nyuv2).
    seeds: default 0; the paper names none.
    """
    methods = (*protocol.others(small=small), protocol.mt_unet(small=small, label="MT-UNet"))
    if small:
        return protocol.small("table2", methods, data=protocol.small_nyuv2(data), seeds=seeds)
    return protocol.full("table2", methods, data=protocol.nyuv2(data), of="nyuv2", seeds=seeds)
