"""MT-UNet, table 3: with and without cross-talk between the decoders, on Cityscapes."""

from __future__ import annotations

from collections.abc import Sequence

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import Beside
from taskweave.recipes.mt_unet import protocol
from taskweave.recipes.places import Given


@Beside(
    "mt_unet",
    ("table3",),
    rows={
        "MT-UNet with cross-talk": ("MT-UNet With Cross-talk",),
        "MT-UNet without cross-talk": ("MT-UNet Without Cross-talk",),
    },
    columns=protocol.PRINTED_COLUMNS,
    small_columns=protocol.PRINTED_SEGMENTATION,
    notes=(protocol.PIXEL_ACCURACY, protocol.INVERSE),
    small_notes=("The printed rows are of Cityscapes; its inverse depth has no place beside metres.",),
)
def recipe(*, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None) -> Recipe:
    """ST-UNet, MT-UNet with cross-talk and without.

    small: networks of a fifth of the width on NYUv2's 13 classes, a named stand-in for Cityscapes.
    data: full size: MTAN's npy tree of Cityscapes (default datasets/cityscapes_mtan); small: a folder of rgb/, depth/,
        label13/, gt_sets/ (default ../shared/data/nyuv2).
    seeds: default 0; the paper names none.
    """
    methods = (
        protocol.mt_unet(small=small, label="MT-UNet with cross-talk"),
        protocol.mt_unet(small=small, label="MT-UNet without cross-talk", cross_talk=False),
    )
    if small:
        return protocol.small("table3", methods, data=protocol.small_nyuv2(data), seeds=seeds, notes=protocol.STAND_IN)
    streets = protocol.cityscapes(data, classes=7)
    notes = f"{protocol.INVERSE} ST-UNet is the baseline of the gains; the paper's table has MT-UNet alone."
    return protocol.full("table3", methods, data=streets, of="cityscapes", seeds=seeds, notes=notes)
