"""Cross-stitch networks, table 5: segmentation into 40 classes and surface normals on NYUv2, methods side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import NYUV2, Beside, Rows
from taskweave.recipes.cross_stitch import protocol
from taskweave.recipes.places import Given

PRINTED: Rows = {
    "single": ("One-task (normals)", "One-task (segmentation)"),
    "ensemble": ("Ensemble (normals)", "Ensemble (segmentation)"),
    "split conv4": ("Split conv4",),
    "MTL-shared": ("MTL-shared",),
    "cross-stitch": ("Cross-stitch [ours]",),
}


@Beside(
    "cross_stitch", ("table5",), rows=PRINTED, columns=NYUV2, notes=("Of Split the paper prints the best split alone.",)
)
def recipe(
    *, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None, weights: Path = protocol.CAFFENET
) -> Recipe:
    """Single, single trained on, ensemble, split at every stage, MTL-shared, cross-stitch.

    small, data, seeds, weights: as in `cross_stitch.table1`.
    """
    methods = [
        "ensemble",
        *protocol.splits(),
        {"use": "shared_latent", "rank": 8 if small else 32, "label": "MTL-shared"},
        protocol.stitched(protocol.rate(small=small)),
    ]
    if small:
        return protocol.small("table5", methods, data=data, seeds=seeds)
    notes = "Of Split every one, where the paper prints the best, conv4; counted by the first layer that is not shared."
    return protocol.full("table5", methods, data=data, seeds=seeds, weights=weights, notes=notes)
