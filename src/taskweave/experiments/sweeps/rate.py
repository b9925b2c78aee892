"""How many times the base rate units learn at (cross-stitch table 2, NDDR table 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from taskweave.experiments.recipe import Recipe
from taskweave.experiments.sweeps.axis import Axis, Sweep, connecting, different, number, varied
from taskweave.results.comparison import Point, Swept

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
