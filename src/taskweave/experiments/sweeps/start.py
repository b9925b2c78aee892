"""What connected streams start from (cross-stitch table 3, NDDR table 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from taskweave.experiments.recipe import Recipe
from taskweave.experiments.starts.start import Start
from taskweave.experiments.sweeps.axis import Axis, Sweep, connecting, different, varied
from taskweave.parts import Part, known, options_of, part, unknown
from taskweave.results.comparison import Point, Swept

SINGLE = "single"


@final
class Starts(Axis):
    """`start` of a connecting method: its single networks, fine-tuned; or other weights, trained jointly from there."""

    @property
    def name(self) -> str:
        return "start"

    def usual(self, recipe: Recipe, method: str | None) -> tuple[str, ...]:
        """Random weights, whatever the recipe starts from, and the single networks."""
        return tuple(dict.fromkeys(("scratch", recipe.start.name, SINGLE)))

    def of(self, recipe: Recipe, *, values: Sequence[str] = (), method: str | None = None) -> Sweep:
        """values: scratch, scenes, library, file (where the recipe names one), single.  method: any row with units."""
        base = connecting(recipe, method, self)
        names = different(values, self) or self.usual(recipe, method)
        there = _starts(recipe)
        if wrong := next((name for name in names if name not in there), None):
            raise ValueError(f"sweep start: {unknown(f'start {wrong!r}', wrong, list(there))}")
        rows = [base.changed(start=there[name], label=f"{base.title} from {name}") for name in names]
        swept = Swept(
            axis=self.name,
            label=f"{base.title}: starting weights",
            points=tuple(Point(text=name, method=row.title) for name, row in zip(names, rows, strict=True)),
        )
        return Sweep(varied(recipe, self, rows), swept)


def _starts(recipe: Recipe) -> dict[str, Part[Start] | None]:
    """What a connected network can start from, by the name on the command line; the recipe's own with its options."""
    usual = {name: call for name, call in known(Start).items() if not options_of(call).model_fields.keys() & {"path"}}
    return {**{name: part(call) for name, call in usual.items()}, recipe.start.name: recipe.start, SINGLE: None}
