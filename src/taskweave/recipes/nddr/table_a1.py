"""NDDR-CNN, table A1: cross-stitch, sluice and NDDR on AlexNet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import NYUV2, Beside
from taskweave.recipes.cross_stitch import protocol as cross_stitch
from taskweave.recipes.nddr import protocol
from taskweave.recipes.places import Given


@Beside(
    "nddr",
    ("tableA1",),
    rows={"cross-stitch": ("C.-S.",), "sluice": ("Sluice",), "NDDR": ("Ours",)},
    columns=NYUV2,
    small_notes=(protocol.SMALL_ANGLES,),
)
def recipe(
    *, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None, weights: Path = cross_stitch.CAFFENET
) -> Recipe:
    """Single, single trained on, cross-stitch, sluice, NDDR.

    small, data, seeds: as in `nddr.table4`, with a thin AlexNet.
    weights: full size: ImageNet's CaffeNet, where every network starts but its last layer.
    """
    methods = protocol.units(small=small)
    if small:
        thin = {"use": "fcn32s_alexnet", "hidden": 512}
        return protocol.small("tableA1", methods, data=data, seeds=seeds, network=thin, at=cross_stitch.PLACES)
    return protocol.full(
        "tableA1",
        methods,
        data=data,
        seeds=seeds,
        weights=weights,
        network="fcn32s_alexnet",
        at=cross_stitch.PLACES,
        training=cross_stitch.full_training(),
        augment=cross_stitch.AUGMENT,
        notes=(
            'The "same hyperparameters as" the cross-stitch paper\'s are read as its network, places, augmentation, steps, '
            f"batch and rates; tasks, losses and measures are those of the other tables. {protocol.SLUICE}"
        ),
    )
