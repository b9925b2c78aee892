"""NDDR-CNN, table 6: the methods of table 4 with the shortcut, single networks too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import NYUV2, Beside, Rows
from taskweave.recipes.nddr import protocol
from taskweave.recipes.places import Given

SHORTCUT = {"shortcut": {"use": "shortcut", "channels": 512, "normalise": True}}

PRINTED: Rows = {
    "single + shortcut": ("Sing.",),
    **dict.fromkeys(("shared until pool5 + shortcut", "shared until layer4 + shortcut"), ("Mult.",)),
    "cross-stitch + shortcut": ("C.-S.",),
    "sluice + shortcut": ("Sluice",),
    "NDDR + shortcut": ("Ours",),
}


@Beside("nddr", ("table6",), rows=PRINTED, columns=NYUV2, small_notes=(protocol.SMALL_ANGLES,))
def recipe(
    *, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None, weights: Path = protocol.VOC
) -> Recipe:
    """Single, single trained on, shared, cross-stitch, sluice, NDDR; every one with the shortcut.

    small, data, seeds, weights: as in `nddr.table4`.
    """
    methods = [
        {"use": "single", **SHORTCUT},
        {"use": "shared", "until": "layer4" if small else "pool5", **SHORTCUT},
        *protocol.units(small=small, **SHORTCUT),
    ]
    if small:
        return protocol.small("table6", methods, data=data, seeds=seeds)
    notes = (
        "The shortcut starts at random and learns at the base rate; the authors' at 100 times it, by its name alone. "
        f"{protocol.SLUICE}"
    )
    return protocol.full("table6", methods, data=data, seeds=seeds, weights=weights, notes=notes)
