"""Cross-stitch networks, table 3: whether the streams start from ImageNet or from the one-task networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import NYUV2, Beside
from taskweave.recipes.cross_stitch import protocol
from taskweave.recipes.places import Given


@Beside(
    "cross_stitch",
    ("table3",),
    rows={"ImageNet": ("ImageNet",), "scenes": ("ImageNet",), "one-task": ("One-task",)},
    columns=NYUV2,
)
def recipe(
    *, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None, weights: Path = protocol.CAFFENET
) -> Recipe:
    """Single, single trained on, cross-stitch from each of two starts.

    small: from bodies pre-trained on generated scenes, and from the single networks.
    small, data, seeds, weights: as in `cross_stitch.table1`.
    """
    stitched = protocol.stitched(protocol.rate(small=small))
    label, start = ("scenes", protocol.SCENES) if small else ("ImageNet", {"use": "file", "path": weights})
    methods = [{**stitched, "start": start, "label": label}, {**stitched, "label": "one-task"}]
    if small:
        return protocol.small("table3", methods, data=data, seeds=seeds)
    notes = (
        "The 30,000 steps from ImageNet make up for 20,000 of the one-task networks, as the paper counts them; it gives "
        "these 25,000 and 15,000."
    )
    return protocol.full("table3", methods, data=data, seeds=seeds, weights=weights, notes=notes)
