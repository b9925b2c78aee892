"""NDDR-CNN, table 2: how many times the base rate NDDR layers learn at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import NYUV2, Beside
from taskweave.recipes.nddr import protocol
from taskweave.recipes.places import Given

SCALES = (1, 10, 100, 1000)


@Beside(
    "nddr",
    ("table2",),
    rows={f"rate x {scale}": (str(scale),) for scale in SCALES},
    columns=NYUV2,
    small_notes=(protocol.SMALL_ANGLES,),
)
def recipe(
    *, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None, weights: Path = protocol.VOC
) -> Recipe:
    """Single, single trained on, NDDR at 1, 10, 100 and 1000 times the rate of the rest.

    small: as in `nddr.table1`, fine-tuned by SGD, under which a multiple is what it is in the paper.
    data, seeds, weights: as in `nddr.table4`.
    """
    methods = [protocol.nddr(small=small, rate=scale, label=f"rate x {scale}") for scale in SCALES]
    if small:
        sweep = protocol.small_sweep(steps=100, by_sgd=True)
        return protocol.small("table2", methods, data=data, seeds=seeds, training=sweep, size=protocol.SWEEP_SIZE)
    return protocol.full("table2", methods, data=data, seeds=seeds, weights=weights)
