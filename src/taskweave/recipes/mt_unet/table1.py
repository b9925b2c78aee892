"""MT-UNet, table 1: segmentation into 7 classes and inverse depth on Cityscapes, beside ST-UNet and the MTAN family."""

from __future__ import annotations

from collections.abc import Sequence

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import Beside
from taskweave.recipes.mt_unet import protocol
from taskweave.recipes.places import Given


@Beside(
    "mt_unet",
    ("table1",),
    rows={**protocol.PRINTED_ROWS, "MT-UNet": ("MT-UNet with 7-classes",)},
    columns=protocol.PRINTED_COLUMNS,
    notes=(protocol.PIXEL_ACCURACY, protocol.QUOTED, protocol.INVERSE),
)
def recipe(*, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None) -> Recipe:
    """ST-UNet, STAN, Dense, Cross-Stitch as MTAN's code and K x K, MTAN, MT-UNet; its 19 classes are `table1_19_classes`.

    small: networks of a fifth of the width at 96 x 192, bodies pre-trained on generated scenes.
    data: MTAN's npy tree of Cityscapes at 128 x 256 (default datasets/cityscapes_mtan), small too.
    seeds: default 0; the paper names none.
    """
    methods = (*protocol.others(small=small), protocol.mt_unet(small=small, label="MT-UNet"))
    streets = protocol.cityscapes(data, classes=7, small=small)
    if small:
        return protocol.small("table1", methods, data=streets, seeds=seeds)
    return protocol.full("table1", methods, data=streets, of="cityscapes", seeds=seeds, notes=protocol.INVERSE)
