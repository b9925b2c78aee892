"""Cross-stitch networks, figure 2: every split of segmentation and normals on NYUv2, relative to the one-task networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.cross_stitch import protocol
from taskweave.recipes.places import Given

SMALL_SIZE = (128, 160)
"""(height, width) of the small form's pictures: two thirds of the other tables', since there are nine rows."""


def recipe(
    *, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None, weights: Path = protocol.CAFFENET
) -> Recipe:
    """Single, single trained on, split at every stage, cross-stitch; `taskweave sweep split` of it draws the figure.

    small: smaller pictures and fewer steps than table 5's, so that one seed takes a quarter of an hour on two cores.
    small, data, seeds, weights: as in `cross_stitch.table1`; full size is table 5's protocol, whose runs it shares.
    """
    methods = [*protocol.splits(), protocol.stitched(protocol.rate(small=small))]
    if not small:
        notes = "Split is counted by the first layer that is not shared."
        return protocol.full("figure2", methods, data=data, seeds=seeds, weights=weights, notes=notes)
    short = protocol.small_training((200, 100, 300), monitor_every=5)
    short["joint"]["monitor_every"] = 20
    return protocol.small("figure2", methods, data=data, seeds=seeds, size=SMALL_SIZE, training=short)
