"""NDDR-CNN, table A2: the start and the rate of cross-stitch units on VGG-16."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import NYUV2, Beside, Rows
from taskweave.recipes.cross_stitch.protocol import stitched
from taskweave.recipes.nddr import protocol
from taskweave.recipes.places import Given

WEIGHTS = ((0.9, 0.1), (0.7, 0.3), (0.5, 0.5))
SCALES = (1, 10, 100, 1000)

PRINTED: Rows = {
    **{f"({a:g}, {b:g})": (f"({a:g}, {b:g})",) for a, b in WEIGHTS},
    **{f"rate x {scale}": (str(scale),) for scale in SCALES},
}


@Beside("nddr", ("tableA2_init", "tableA2_scale"), rows=PRINTED, columns=NYUV2, small_notes=(protocol.SMALL_ANGLES,))
def recipe(
    *, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None, weights: Path = protocol.VOC
) -> Recipe:
    """Single, single trained on, cross-stitch from three pairs of weights, and at four rates.

    The first of the pairs and the last of the rates are one training: (0.9, 0.1) at 1000 times the base rate.
    small: as in `nddr.table1`, fine-tuned by SGD, under which a multiple is what it is in the paper.
    data, seeds, weights: as in `nddr.table4`.
    """
    methods = [
        *(stitched(1000.0, a, b, label=f"({a:g}, {b:g})") for a, b in WEIGHTS),
        *(stitched(scale, label=f"rate x {scale}") for scale in SCALES),
    ]
    if small:
        sweep = protocol.small_sweep(steps=100, by_sgd=True)
        return protocol.small("tableA2", methods, data=data, seeds=seeds, training=sweep, size=protocol.SWEEP_SIZE)
    return protocol.full("tableA2", methods, data=data, seeds=seeds, weights=weights)
