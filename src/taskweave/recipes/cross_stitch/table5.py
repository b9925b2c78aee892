"""Cross-stitch networks, table 5: segmentation into 40 classes and surface normals on NYUv2, methods side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.choices.method import CrossStitch, Ensemble, Method, Shared, SharedLatent
from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import NYUV2, Beside, Rows
from taskweave.recipes.cross_stitch import protocol
from taskweave.recipes.cross_stitch.table6 import SPLITS
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
    methods: tuple[Method, ...] = (
        Ensemble(),
        *(Shared(until=until, label=f"split {first}") for first, until in SPLITS.items()),
        SharedLatent(rank=8 if small else 32, label="MTL-shared"),
        CrossStitch(self_weight=0.9, other_weight=0.1, lr_multiplier=10.0 if small else 1000.0),
    )
    if small:
        return protocol.small("table5", methods, data=data, seeds=seeds)
    notes = "Of Split every one, where the paper prints the best, conv4; counted by the first layer that is not shared."
    return protocol.full("table5", methods, data=data, seeds=seeds, weights=weights, notes=notes)
