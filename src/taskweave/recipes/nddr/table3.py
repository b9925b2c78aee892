"""NDDR-CNN, table 3: what the streams start from: ImageNet, VOC, or the single-task networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import NYUV2, Beside, Rows
from taskweave.recipes.nddr import protocol
from taskweave.recipes.places import Given

PRINTED: Rows = {
    **dict.fromkeys(("Init. (ImageNet)", "Init. (random)"), ("Init.",)),
    **dict.fromkeys(("Pret. (VOC)", "Pret. (scenes)"), ("Pret.",)),
    "Sing.": ("Sing.",),
}


@Beside("nddr", ("table3",), rows=PRINTED, columns=NYUV2, small_notes=(protocol.SMALL_ANGLES,))
def recipe(
    *, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None, weights: Path = protocol.VOC
) -> Recipe:
    """Single, single trained on, NDDR from each of three starts.

    small: from random weights, from bodies pre-trained on generated scenes, from the single networks.
    small, data, seeds, weights: as in `nddr.table4`.
    """
    voc = {"use": "file", "path": weights}
    small_starts = {"Init. (random)": "scratch", "Pret. (scenes)": protocol.SCENES, "Sing.": None}
    full_starts = {"Init. (ImageNet)": "library", "Pret. (VOC)": voc, "Sing.": None}
    starts = small_starts if small else full_starts
    methods = [protocol.nddr(small=small, start=start, label=label) for label, start in starts.items()]
    if small:
        return protocol.small("table3", methods, data=data, seeds=seeds)
    notes = (
        "The paper does not say what Init. is: here ImageNet's VGG-16. Init. and Pret. are trained for as many steps as "
        "Sing. is fine-tuned; Sing. has its single networks' steps besides."
    )
    return protocol.full("table3", methods, data=data, seeds=seeds, weights=weights, notes=notes)
