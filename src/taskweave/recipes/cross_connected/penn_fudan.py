"""Cross-connected networks on one small data set: pedestrians of Penn-Fudan and their masks, also tested on aPascal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.choices.boxes import APascal, PennFudan
from taskweave.experiments.choices.data import Augmentation
from taskweave.experiments.choices.mixture import FurtherTest
from taskweave.experiments.recipe import Evaluation, Recipe
from taskweave.recipes.cross_connected.methods import SMALL, WIDTH, methods, networks, small_start
from taskweave.recipes.cross_connected.methods import small_training_of_one_set as training
from taskweave.recipes.cross_connected.table1 import small_tasks
from taskweave.recipes.places import Given, places


def recipe(*, small: bool = True, data: Given = None, seeds: Sequence[int] | None = None) -> Recipe:
    """The methods of table 1, both tasks labelled on the same images.

    small: the only form.  data: {"penn_fudan", "apascal"} (default ../shared/data).  seeds: default 0.
    """
    shared = Path("../shared/data")
    at = places(data, {"penn_fudan": shared / "PennFudanPed", "apascal": shared / "apascal"})
    people = {"size": SMALL, "keep_aspect": True}
    varied = Augmentation(mirror=True, scale=(0.8, 1.25), crop=SMALL, colour=0.2)
    tasks = small_tasks()
    assert tasks.segmentation is not None
    masks = tasks.segmentation.model_copy(update={"target_class": "person"})
    return Recipe(
        name="cross_connected-penn_fudan",
        data=PennFudan(path=at["penn_fudan"], augmentation=varied, **people),
        tasks=tasks.model_copy(update={"segmentation": masks}),
        network=networks((28, 38, 52, 70, 94, 127), (0.41,), width=WIDTH, batch_norm=True, hidden=128),
        start=small_start(),
        methods=methods(lr_multiplier=10.0),
        training=training(),
        seeds=tuple(seeds or (0,)),
        further_tests={
            "aPascal": FurtherTest(data=APascal(path=at["apascal"], classes=("person",), labels=("detection",), **people))
        },
        evaluation=Evaluation(batch_size=8),
        notes="Table 1's methods where both tasks have the same images: the setting of earlier work.",
    )
