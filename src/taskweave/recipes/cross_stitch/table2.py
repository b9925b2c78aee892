"""Cross-stitch networks, table 2: how many times the base rate the units learn at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import NYUV2, Beside
from taskweave.recipes.cross_stitch import protocol
from taskweave.recipes.places import Given

SCALES = (1, 10, 100, 1000)


@Beside("cross_stitch", ("table2",), rows={f"rate x {scale}": (str(scale),) for scale in SCALES}, columns=NYUV2)
def recipe(
    *, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None, weights: Path = protocol.CAFFENET
) -> Recipe:
    """Single, single trained on, cross-stitch at 1, 10, 100 and 1000 times the rate of the rest.

    small: fine-tuned by SGD, under which a multiple is what it is in the paper.
    small, data, seeds, weights: as in `cross_stitch.table1`.
    """
    methods = [protocol.stitched(scale, label=f"rate x {scale}") for scale in SCALES]
    if small:
        return protocol.small("table2", methods, data=data, seeds=seeds, training=protocol.by_sgd())
    return protocol.full("table2", methods, data=data, seeds=seeds, weights=weights)
