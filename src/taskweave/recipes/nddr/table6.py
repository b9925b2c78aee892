"""NDDR-CNN, table 6: the methods of table 4 with the shortcut, single networks too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.choices.method import NDDR, CrossStitch, Method, Shared, Single, Sluice
from taskweave.experiments.choices.methodchoice import ShortcutOptions
from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import NYUV2, Beside, Rows
from taskweave.recipes.nddr import protocol
from taskweave.recipes.places import Given

SHORTCUT = ShortcutOptions(channels=512, normalise=True)

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
    until = "layer4" if small else "pool5"
    unit_rate, nddr_rate = (10.0, None) if small else (1000.0, 100.0)
    methods: tuple[Method, ...] = (
        Single(shortcut=SHORTCUT),
        Shared(until=until, shortcut=SHORTCUT),
        CrossStitch(self_weight=0.9, other_weight=0.1, lr_multiplier=unit_rate, shortcut=SHORTCUT),
        Sluice(subspaces=2, lr_multiplier=10.0 if small else None, shortcut=SHORTCUT),
        NDDR(self_weight=0.9, other_weight=0.1, lr_multiplier=nddr_rate, shortcut=SHORTCUT),
    )
    if small:
        return protocol.small("table6", methods, data=data, seeds=seeds)
    return protocol.full(
        "table6",
        methods,
        data=data,
        seeds=seeds,
        weights=weights,
        notes=(
            "The shortcut starts at random and learns at the base rate; the authors' at 100 times it, by its name alone. "
            f"{protocol.SLUICE}"
        ),
    )
