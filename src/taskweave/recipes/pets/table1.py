"""Pet paper, table 1: masks, species and head boxes of pets, by five networks, as the public code trains them."""

from __future__ import annotations

from collections.abc import Sequence

from taskweave.evaluation.recipe import Recipe
from taskweave.recipes.pets import protocol
from taskweave.recipes.places import Given


def recipe(
    *,
    small: bool = False,
    data: Given = None,
    seeds: Sequence[int] | None = None,
    preset: protocol.Preset = "published",
) -> Recipe:
    """Baseline, Binary Ablation, B.Box Ablation, MTL, OEQ; measured on train, validation and test.

    small: half the width at 128 x 128, encoders pre-trained on generated scenes.
    data: the Oxford-IIIT Pet data set (default datasets/oxford-iiit-pet; small: ../shared/data/oxford-iiit-pet).
    seeds: default 0; the public code sets none.
    preset: "published", with the public code's faults; "sound", without: on the command line, pets/table1_sound.
    """
    table = "table1" if preset == "published" else "table1-sound"
    make = protocol.small if small else protocol.full
    return make(table, preset, data=data, seeds=seeds)
