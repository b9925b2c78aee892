"""NDDR-CNN, table 1: how NDDR layers start, from the own stream alone to the other's alone, and at random."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import NYUV2, Beside, Rows
from taskweave.recipes.nddr import protocol
from taskweave.recipes.places import Given

WEIGHTS = ((1.0, 0.0), (0.9, 0.1), (0.5, 0.5), (0.1, 0.9), (0.0, 1.0))
"""(alpha, beta): the diagonals for a stream's own features and for the other stream's."""

PRINTED: Rows = {**{f"({a:g}, {b:g})": (f"({a:g}, {b:g})",) for a, b in WEIGHTS}, "random": ("Random",)}


@Beside("nddr", ("table1",), rows=PRINTED, columns=NYUV2, small_notes=(protocol.SMALL_ANGLES,))
def recipe(
    *, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None, weights: Path = protocol.VOC
) -> Recipe:
    """Single, single trained on, NDDR from five pairs of weights and from Xavier's random ones.

    small: at 96 x 128, for fewer steps than `nddr.table4`.
    data, seeds, weights: as there.
    """
    methods = [protocol.nddr(small=small, own=a, other=b, label=f"({a:g}, {b:g})") for a, b in WEIGHTS]
    methods.append({"use": "nddr", "initial": "xavier", "rate": methods[0].get("rate"), "label": "random"})
    if small:
        sweep = protocol.small_sweep(steps=75)
        return protocol.small("table1", methods, data=data, seeds=seeds, training=sweep, size=protocol.SWEEP_SIZE)
    return protocol.full("table1", methods, data=data, seeds=seeds, weights=weights)
