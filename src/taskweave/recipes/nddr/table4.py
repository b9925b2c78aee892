"""NDDR-CNN, table 4: segmentation into 40 classes and surface normals on NYUv2, methods side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import NYUV2, Beside, Rows
from taskweave.recipes.nddr import protocol
from taskweave.recipes.places import Given

PRINTED: Rows = {
    "single": ("Sing.",),
    **dict.fromkeys(("shared until pool5", "shared until layer4"), ("Mul.",)),
    "cross-stitch": ("C.-S.",),
    "sluice": ("Sluice",),
    "NDDR": ("Ours",),
}


@Beside("nddr", ("table4",), rows=PRINTED, columns=NYUV2, small_notes=(protocol.SMALL_ANGLES,))
def recipe(
    *, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None, weights: Path = protocol.VOC
) -> Recipe:
    """Single, single trained on, shared, cross-stitch, sluice, NDDR; in the small form also cross-connected.

    small: ResNet-18 at 128 x 160, bodies pre-trained on generated scenes, a few minutes per method on two cores.
    data, seeds: as in `protocol.full` and `protocol.small`.
    weights: full size: DeepLab-LargeFOV trained on VOC, where every network starts but its last layer.
    """
    methods = [{"use": "shared", "until": "layer4" if small else "pool5"}, *protocol.units(small=small)]
    if small:
        crossed = {"use": "cross_connection", "gate": True}
        return protocol.small("table4", [*methods, crossed], data=data, seeds=seeds)
    return protocol.full("table4", methods, data=data, seeds=seeds, weights=weights, notes=protocol.SLUICE)
