"""Pet paper, table 1, without the public code's faults: logits, convex starts, running statistics at test."""

from __future__ import annotations

from collections.abc import Sequence

from taskweave.evaluation.recipe import Recipe
from taskweave.recipes.pets import table1
from taskweave.recipes.places import Given


def recipe(*, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None) -> Recipe:
    """The rows of `pets.table1`. small, data, seeds: as there."""
    return table1.recipe(small=small, data=data, seeds=seeds, preset="sound")
