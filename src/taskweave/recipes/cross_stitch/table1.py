"""Cross-stitch networks, table 1: how the units start, from sharing nearly all to sharing little."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import NYUV2, Beside, Rows
from taskweave.recipes.cross_stitch import protocol
from taskweave.recipes.places import Given

WEIGHTS = ((0.1, 0.9), (0.5, 0.5), (0.7, 0.3), (0.9, 0.1))
"""(alpha_S, alpha_D): of a stream's own features and of the other stream's."""

PRINTED: Rows = {f"({a:g}, {b:g})": (f"({a:g},{b:g})",) for a, b in WEIGHTS}


@Beside("cross_stitch", ("table1",), rows=PRINTED, columns=NYUV2)
def recipe(
    *, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None, weights: Path = protocol.CAFFENET
) -> Recipe:
    """Single, single trained on, cross-stitch from four pairs of weights.

    small: 160 x 208, a thin FCN-32s, bodies pre-trained on generated scenes.
    data, seeds, weights: as in `protocol.full` and `protocol.small`.
    """
    rate = 10.0 if small else 100.0
    methods = [protocol.stitched(rate, a, b, label=f"({a:g}, {b:g})") for a, b in WEIGHTS]
    if small:
        return protocol.small("table1", methods, data=data, seeds=seeds)
    notes = "The units' rate is 100 times the base rate: the last row then is that of table 2, as in the paper."
    return protocol.full("table1", methods, data=data, seeds=seeds, weights=weights, notes=notes)
