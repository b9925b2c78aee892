"""The MT-UNet paper's tables and its figure 4.

small: networks of a fifth of the width, bodies pre-trained on generated scenes; table 1 at 96 x 192, the others at 64 x 96.
data: MTAN's npy trees (default datasets/cityscapes_mtan and datasets/nyuv2_mtan), for table 1 small too; else small: NYUv2
    as a folder of rgb/, depth/, label13/, gt_sets/ (default ../shared/data/nyuv2), which stands in for Cityscapes.
seeds: default 0; the paper names none.
"""

from __future__ import annotations

from functools import partial

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import Beside
from taskweave.recipes.mt_unet import protocol
from taskweave.recipes.mt_unet.protocol import INVERSE, PIXEL_ACCURACY, PRINTED_ROWS, QUOTED, cityscapes, mt_unet, others
from taskweave.recipes.usual import Given, Seeds

_beside = partial(Beside, "mt_unet", columns=protocol.PRINTED_COLUMNS)


@_beside(
    ("table1",),
    rows={**PRINTED_ROWS, "MT-UNet": ("MT-UNet with 7-classes",)},
    notes=(PIXEL_ACCURACY, QUOTED, INVERSE),
)
def table1(*, small: bool = False, data: Given = None, seeds: Seeds = None) -> Recipe:
    """MT-UNet, table 1: segmentation into 7 classes and inverse depth on Cityscapes, beside ST-UNet and the MTAN family.

    ST-UNet, STAN, Dense, Cross-Stitch as MTAN's code and K x K, MTAN, MT-UNet; its 19 classes are `table1_19_classes`.
    """
    methods = (*others(small=small), mt_unet(small=small, label="MT-UNet"))
    streets = cityscapes(data, classes=7, small=small)
    if small:
        return protocol.small("table1", methods, data=streets, seeds=seeds)
    return protocol.full("table1", methods, data=streets, of="cityscapes", seeds=seeds, notes=INVERSE)


@_beside(
    ("table1",),
    rows={"MT-UNet": ("MT-UNet with 19-classes",)},
    notes=(PIXEL_ACCURACY, INVERSE, "The rows of 7 classes stand beside mt_unet/table1."),
)
def table1_19_classes(*, small: bool = False, data: Given = None, seeds: Seeds = None) -> Recipe:
    """MT-UNet, table 1's last row: segmentation into 19 classes and inverse depth on Cityscapes.

    ST-UNet and MT-UNet. A table of its own: means over 19 classes do not compare with those over 7.
    """
    methods = (mt_unet(small=small, label="MT-UNet"),)
    streets = cityscapes(data, classes=19, small=small)
    if small:
        return protocol.small("table1-19-classes", methods, data=streets, seeds=seeds)
    notes = f"{INVERSE} ST-UNet on 19 classes is our addition."
    return protocol.full("table1-19-classes", methods, data=streets, of="cityscapes", seeds=seeds, notes=notes)


@_beside(
    ("table2",),
    rows={**PRINTED_ROWS, "MT-UNet": ("MT-UNet",)},
    notes=(PIXEL_ACCURACY, QUOTED, "The paper does not give the unit of its depth; here metres."),
)
def table2(*, small: bool = False, data: Given = None, seeds: Seeds = None) -> Recipe:
    """MT-UNet, table 2: segmentation into 13 classes and depth on NYUv2, beside ST-UNet and the MTAN family.

    ST-UNet, STAN, Dense, Cross-Stitch as MTAN's code and K x K, MTAN, MT-UNet.
    """
    methods = (*others(small=small), mt_unet(small=small, label="MT-UNet"))
    if small:
        return protocol.small("table2", methods, data=protocol.small_nyuv2(data), seeds=seeds)
    return protocol.full("table2", methods, data=protocol.nyuv2(data), of="nyuv2", seeds=seeds)


@_beside(
    ("table3",),
    rows={
        "MT-UNet with cross-talk": ("MT-UNet With Cross-talk",),
        "MT-UNet without cross-talk": ("MT-UNet Without Cross-talk",),
    },
    small_columns=protocol.PRINTED_SEGMENTATION,
    notes=(PIXEL_ACCURACY, INVERSE),
    small_notes=("The printed rows are of Cityscapes; its inverse depth has no place beside metres.",),
)
def table3(*, small: bool = False, data: Given = None, seeds: Seeds = None) -> Recipe:
    """MT-UNet, table 3: with and without cross-talk between the decoders, on Cityscapes.

    ST-UNet, MT-UNet with cross-talk and without.
    """
    methods = (
        mt_unet(small=small, label="MT-UNet with cross-talk"),
        mt_unet(small=small, label="MT-UNet without cross-talk", cross_talk=False),
    )
    if small:
        return protocol.small("table3", methods, data=protocol.small_nyuv2(data), seeds=seeds, notes=protocol.STAND_IN)
    notes = f"{INVERSE} ST-UNet is the baseline of the gains; the paper's table has MT-UNet alone."
    streets = cityscapes(data, classes=7)
    return protocol.full("table3", methods, data=streets, of="cityscapes", seeds=seeds, notes=notes)


DWA = {"use": "dynamic_weight_average", "temperature": 2.0}
WEIGHTINGS = {
    "eq. 4 (1, 1)": {"use": "fixed"},
    "(0.3, 0.7)": {"use": "fixed", "weights": {"depth": 0.3, "segmentation": 0.7}},
    "(0.7, 0.3)": {"use": "fixed", "weights": {"depth": 0.7, "segmentation": 0.3}},
    "DWA": DWA,
    "eq. 5": None,
}


def figure4(*, small: bool = False, data: Given = None, seeds: Seeds = None) -> Recipe:
    """MT-UNet, figure 4 and its text: how the two losses are weighed, on Cityscapes.

    ST-UNet; MT-UNet under eq. 4, eq. 5, two pairs of fixed weights and DWA; MTAN under DWA, as the text compares.
    """
    methods = [
        *(mt_unet(small=small, weighting=one, label=f"MT-UNet, {name}") for name, one in WEIGHTINGS.items()),
        {"use": "mtan_segnet", **(protocol.SMALL_WIDTHS if small else {}), "weighting": DWA, "label": "MTAN, DWA"},
    ]
    notes = "Fixed weights are (depth, segmentation), as in the paper."
    if small:
        rooms, notes = protocol.small_nyuv2(data), f"{notes} {protocol.STAND_IN}"
        return protocol.small("figure4", methods, data=rooms, seeds=seeds, notes=notes)
    streets, notes = cityscapes(data, classes=7), f"{INVERSE} {notes} DWA's temperature is that of its paper."
    return protocol.full("figure4", methods, data=streets, of="cityscapes", seeds=seeds, notes=notes)
