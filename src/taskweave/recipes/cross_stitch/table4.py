"""Cross-stitch networks, table 4: the weights that units learn, sorted, from three starts; pictures without numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import Beside
from taskweave.recipes.cross_stitch import protocol, table1
from taskweave.recipes.places import Given

SHOWN = ("(0.9, 0.1)", "(0.5, 0.5)", "(0.1, 0.9)")
"""The starts that the paper shows, in its order."""


@Beside(
    "cross_stitch",
    ("table4",),
    rows={},
    columns={},
    notes=("The paper's table is of pictures: here charts/, where sorted weights of every layer are drawn.",),
)
def recipe(
    *, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None, weights: Path = protocol.CAFFENET
) -> Recipe:
    """Single, and cross-stitch from three of the four starts of table 1: the same trainings, none of its own.

    In the small form the first of them is also table 5's cross-stitch.
    small, data, seeds, weights: as in `cross_stitch.table1`.
    """
    first = table1.recipe(small=small, data=data, seeds=seeds, weights=weights)
    by_label = {method.title: method for method in first.methods}
    return first.model_copy(
        update={
            "name": first.name.replace("table1", "table4"),
            "methods": tuple(by_label[label] for label in SHOWN),
            "single_trained_on": False,
            "notes": first.notes.replace("table1", "table4").replace(" Single, trained on is our addition.", ""),
        }
    )
