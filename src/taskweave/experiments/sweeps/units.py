"""Sweeps over units: which one, how fast they learn, and the two weights they start from (table 1 of p001 and of p002)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from taskweave.experiments.recipe import Recipe
from taskweave.experiments.sweeps.axis import Axis, Sweep, connecting, different, number, unit_row, varied
from taskweave.results.comparison import Point, Swept

WEIGHTS = ("0.1:0.9", "0.5:0.5", "0.7:0.3", "0.9:0.1")


@final
class Init(Axis):
    """`self_weight` and `other_weight` of a unit that has both."""

    @property
    def name(self) -> str:
        return "init"

    def usual(self, recipe: Recipe, method: str | None) -> tuple[str, ...]:
        return WEIGHTS

    def of(self, recipe: Recipe, *, values: Sequence[str] = (), method: str | None = None) -> Sweep:
        """values: "own:other".  method: a cross-stitch, NDDR or sluice row; default the first, else cross-stitch."""
        base = connecting(
            recipe, method, self, options=("self_weight", "other_weight"), also=("cross_stitch", "nddr", "sluice")
        )
        pairs = [self._pair(text) for text in different(values, self) or WEIGHTS]
        assert base.unit is not None
        made = base.unit.fact("weighted_start", default={})  # of its starts the one that the two weights make
        rows = [
            base.changed(
                unit={**made, "self_weight": own, "other_weight": other}, label=f"{base.title} ({own:g}, {other:g})"
            )
            for own, other in pairs
        ]
        swept = Swept(
            axis=self.name,
            label=f"{base.title}: weights at the start (own, other)",
            points=tuple(Point(text=f"({a:g}, {b:g})", method=row.title) for (a, b), row in zip(pairs, rows, strict=True)),
        )
        return Sweep(varied(recipe, self, rows), swept)

    def _pair(self, text: str) -> tuple[float, float]:
        own, sign, other = text.partition(":")
        if not sign:
            raise ValueError(f"sweep init: --values are pairs own:other, e.g. 0.9:0.1,0.5:0.5; got {text!r}")
        return number(own, self, example="0.9:0.1"), number(other, self, example="0.9:0.1")


SCALES = ("1", "10", "100", "1000")


@final
class Rate(Axis):
    """`rate` of a connected method."""

    @property
    def name(self) -> str:
        return "lr"

    def usual(self, recipe: Recipe, method: str | None) -> tuple[str, ...]:
        return SCALES

    def of(self, recipe: Recipe, *, values: Sequence[str] = (), method: str | None = None) -> Sweep:
        """values: multiples above 0.  method: any row with units; default the first, else cross-stitch."""
        base = connecting(recipe, method, self)
        scales = [number(text, self, example="1,10,100") for text in different(values, self) or SCALES]
        if wrong := [scale for scale in scales if scale <= 0]:
            raise ValueError(f"sweep lr: --values are multiples of the base rate, above 0; got {wrong[0]:g}")
        rows = [base.changed(rate=s, label=f"{base.title}, rate x {s:g}") for s in scales]
        swept = Swept(
            axis=self.name,
            label=f"{base.title}: rate of its units, times the base rate",
            points=tuple(Point(text=f"{s:g}", method=row.title, number=s) for s, row in zip(scales, rows, strict=True)),
            logarithmic=True,
        )
        return Sweep(varied(recipe, self, rows), swept)


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
