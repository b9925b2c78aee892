"""Cross-connected networks on one small data set: pedestrians of Penn-Fudan and their masks, also tested on aPascal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.cross_connected import methods as paper
from taskweave.recipes.places import Given, places


def recipe(*, small: bool = True, data: Given = None, seeds: Sequence[int] | None = None) -> Recipe:
    """The methods of table 1, both tasks labelled on the same images.

    small: the only form.  data: {"penn_fudan", "apascal"} (default ../shared/data).  seeds: default 0.
    """
    shared = Path("../shared/data")
    at = places(data, {"penn_fudan": shared / "PennFudanPed", "apascal": shared / "apascal"})
    return Recipe(
        name="cross_connected-penn_fudan",
        data=paper.small_set("penn_fudan", at["penn_fudan"], keep_aspect=True),
        tasks=paper.small_tasks(target_class="person"),
        networks=paper.small_networks((28, 38, 52, 70, 94, 127), (0.41,)),
        start=paper.SMALL_START,
        methods=paper.methods(rate=10.0),
        training=paper.small_training_of_one_set(),
        seeds=seeds or (0,),
        further_tests=paper.persons_of_apascal(at["apascal"]),
        evaluation={"batch_size": 8},
        notes="Table 1's methods where both tasks have the same images: the setting of earlier work.",
    )
