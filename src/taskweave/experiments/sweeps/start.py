"""What connected streams start from (cross-stitch table 3, NDDR table 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from taskweave.experiments.choices.start import FromFile, LibraryWeights, PretrainedOnScenes, Scratch, Start
from taskweave.experiments.explaining import unknown
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.sweeps.axis import Axis, Sweep, connecting, different, varied
from taskweave.results.swept import Point, Swept

SINGLE = "single"


@final
class Starts(Axis):
    """`start` of a connecting method: its single networks, fine-tuned; or other weights, trained jointly from there."""

    @property
    def name(self) -> str:
        return "start"

    def usual(self, recipe: Recipe, method: str | None) -> tuple[str, ...]:
        """Random weights, whatever the recipe starts from, and the single networks."""
        return tuple(dict.fromkeys(("scratch", recipe.start.kind, SINGLE)))

    def of(self, recipe: Recipe, *, values: Sequence[str] = (), method: str | None = None) -> Sweep:
        """values: scratch, scenes, library, file (where the recipe names one), single.  method: any row with units."""
        base = connecting(recipe, method, self)
        names = different(values, self) or self.usual(recipe, method)
        known = _starts(recipe)
        if wrong := next((name for name in names if name not in known), None):
            raise ValueError(f"sweep start: {unknown(f'start {wrong!r}', wrong, list(known))}")
        rows = [base.model_copy(update={"start": known[name], "label": f"{base.title} from {name}"}) for name in names]
        swept = Swept(
            axis=self.name,
            label=f"{base.title}: starting weights",
            points=tuple(Point(text=name, method=row.title) for name, row in zip(names, rows, strict=True)),
        )
        return Sweep(varied(recipe, self, rows), swept)


def _starts(recipe: Recipe) -> dict[str, Start | None]:
    """What a connected network can start from, by the name on the command line; the recipe's own under its kind."""
    known: dict[str, Start | None] = {"scratch": Scratch(), "scenes": PretrainedOnScenes(), "library": LibraryWeights()}
    if isinstance(recipe.start, FromFile | PretrainedOnScenes):
        known[recipe.start.kind] = recipe.start
    return {**known, SINGLE: None}
