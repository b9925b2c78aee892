"""MT-UNet, figure 4 and its text: how the two losses are weighed, on Cityscapes."""

from __future__ import annotations

from collections.abc import Sequence

from taskweave.experiments.choices.method import Method
from taskweave.experiments.choices.whole import MTAN
from taskweave.experiments.recipe import Recipe
from taskweave.parts import part
from taskweave.recipes.mt_unet import protocol
from taskweave.recipes.places import Given
from taskweave.weighting import DynamicWeightAverage, Fixed


def recipe(*, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None) -> Recipe:
    """ST-UNet; MT-UNet under eq. 4, eq. 5, two pairs of fixed weights and DWA; MTAN under DWA, as the text compares.

    small, data, seeds: as in `mt_unet.table3`.
    """
    dwa = part(DynamicWeightAverage, temperature=2.0)
    weightings = {
        "eq. 4 (1, 1)": part(Fixed),
        "(0.3, 0.7)": part(Fixed, weights={"depth": 0.3, "segmentation": 0.7}),
        "(0.7, 0.3)": part(Fixed, weights={"depth": 0.7, "segmentation": 0.3}),
        "DWA": dwa,
        "eq. 5": None,
    }
    methods: tuple[Method, ...] = (
        *(protocol.mt_unet(small=small, weighting=one, label=f"MT-UNet, {name}") for name, one in weightings.items()),
        MTAN(network=protocol.SMALL_SEGNET if small else protocol.SEGNET, weighting=dwa, label="MTAN, DWA"),
    )
    notes = "Fixed weights are (depth, segmentation), as in the paper."
    if small:
        rooms = protocol.small_nyuv2(data)
        return protocol.small("figure4", methods, data=rooms, seeds=seeds, notes=f"{notes} {protocol.STAND_IN}")
    streets = protocol.cityscapes(data, classes=7)
    notes = f"{protocol.INVERSE} {notes} DWA's temperature is that of its paper."
    return protocol.full("figure4", methods, data=streets, of="cityscapes", seeds=seeds, notes=notes)
