"""Which unit connects the streams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from taskweave.experiments.choices.method import (
    NDDR,
    CommonStitch,
    ConnectingChoice,
    CrossConnected,
    CrossStitch,
    ScaleLayer,
    Sluice,
)
from taskweave.experiments.explaining import unknown
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.sweeps.axis import Axis, Sweep, WithUnits, different, varied
from taskweave.results.swept import Point, Swept

UNITS: tuple[WithUnits, ...] = (CrossStitch(), NDDR(), CrossConnected(), Sluice(), ScaleLayer(), CommonStitch())
_USUAL = ("cross_stitch", "nddr", "cross_connected", "sluice")


@final
class Units(Axis):
    """The kind of unit, each as the recipe has it, else with its paper's defaults; all at the recipe's places."""

    @property
    def name(self) -> str:
        return "unit"

    def usual(self, recipe: Recipe, method: str | None) -> tuple[str, ...]:
        return _USUAL

    def of(self, recipe: Recipe, *, values: Sequence[str] = (), method: str | None = None) -> Sweep:
        """values: kinds of units. There is no row to name with `method`, since all rows are the values."""
        if method is not None:
            raise ValueError(f"sweep unit: --method {method!r} has no meaning, the units are the values: leave it out")
        known: dict[str, WithUnits] = {unit.kind: unit for unit in UNITS}
        names = different(values, self) or _USUAL
        if wrong := next((name for name in names if name not in known), None):
            raise ValueError(f"sweep unit: {unknown(f'unit {wrong!r}', wrong, list(known))}")
        own = [row for row in recipe.methods if isinstance(row, ConnectingChoice) and row.start is None]
        rows = [next((row for row in own if row.kind == name), known[name]) for name in names]
        rows = [row.model_copy(update={"label": ""}) for row in rows]
        swept = Swept(
            axis=self.name,
            label="unit",
            points=tuple(Point(text=row.title, method=row.title) for row in rows),
        )
        return Sweep(varied(recipe, self, rows), swept)
