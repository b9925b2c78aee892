"""How units start: the weights of a stream's own features and of the others' (cross-stitch table 1, NDDR table 1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from taskweave.experiments.recipe import Recipe
from taskweave.experiments.sweeps.axis import Axis, Sweep, connecting, different, number, varied
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
