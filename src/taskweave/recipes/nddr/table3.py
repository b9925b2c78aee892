"""NDDR-CNN, table 3: what the streams start from: ImageNet, VOC, or the single-task networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.choices.method import NDDR
from taskweave.experiments.choices.start import FromFile, LibraryWeights, Scratch
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
    starts = (
        [("Init. (random)", Scratch()), ("Pret. (scenes)", protocol.SCENES), ("Sing.", None)]
        if small
        else [("Init. (ImageNet)", LibraryWeights()), ("Pret. (VOC)", FromFile(path=weights)), ("Sing.", None)]
    )
    rate = None if small else protocol.OURS.lr_multiplier
    methods = tuple(
        NDDR(self_weight=0.9, other_weight=0.1, lr_multiplier=rate, start=start, label=label) for label, start in starts
    )
    if small:
        return protocol.small("table3", methods, data=data, seeds=seeds)
    notes = (
        "The paper does not say what Init. is: here ImageNet's VGG-16. Init. and Pret. are trained for as many steps as "
        "Sing. is fine-tuned; Sing. has its single networks' steps besides."
    )
    return protocol.full("table3", methods, data=data, seeds=seeds, weights=weights, notes=notes)
