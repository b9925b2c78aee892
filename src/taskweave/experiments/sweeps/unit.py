"""Which unit connects the streams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from taskweave.experiments.recipe import Recipe
from taskweave.experiments.sweeps.axis import Axis, Sweep, different, unit_row, varied
from taskweave.results.comparison import Point, Swept

_USUAL = ("cross_stitch", "nddr", "cross_connection", "sluice")


@final
class Units(Axis):
    """The kind of unit, each as the recipe has it, else with its paper's defaults; all at the recipe's places."""

    @property
    def name(self) -> str:
        return "unit"

    def usual(self, recipe: Recipe, method: str | None) -> tuple[str, ...]:
        return _USUAL

    def of(self, recipe: Recipe, *, values: Sequence[str] = (), method: str | None = None) -> Sweep:
        """values: names of units, of one's own too. No row is named with `method`, since all rows are the values."""
        if method is not None:
            raise ValueError(f"sweep unit: --method {method!r} has no meaning, the units are the values: leave it out")
        own = [row for row in recipe.methods if row.unit is not None and row.made.fine_tunes]
        try:
            rows = [
                next((row for row in own if row.unit is not None and row.unit.name == name), None) or unit_row(name)
                for name in different(values, self) or _USUAL
            ]
        except ValueError as error:
            raise ValueError(f"sweep unit: {error}") from error
        rows = [row.changed(label="") for row in rows]
        swept = Swept(
            axis=self.name,
            label="unit",
            points=tuple(Point(text=row.title, method=row.title) for row in rows),
        )
        return Sweep(varied(recipe, self, rows), swept)
