"""Pet paper, table 1, without the public code's faults: logits, convex starts, running statistics at test."""

from __future__ import annotations

from collections.abc import Sequence

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.pets import protocol
from taskweave.recipes.places import Given


def recipe(*, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None) -> Recipe:
    """The rows of `pets.table1`, which no paper prints so. small, data, seeds: as there."""
    make = protocol.small if small else protocol.full
    return make("table1-sound", "sound", data=data, seeds=seeds)
