"""Where streams meet: each place alone, and more and more of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from taskweave.experiments.recipe import Recipe
from taskweave.experiments.sweeps.axis import Axis, Sweep, connecting, different, varied
from taskweave.results.comparison import Point, Swept


@final
class Places(Axis):
    """`at` of a connected method."""

    @property
    def name(self) -> str:
        return "places"

    def usual(self, recipe: Recipe, method: str | None) -> tuple[str, ...]:
        """Each place of the method alone, then the first two, three, ... and all of them."""
        every = connecting(recipe, method, self).fold_stages(recipe)
        growing = ["+".join(every[: count + 1]) for count in range(1, len(every))]
        return (*every, *growing)

    def of(self, recipe: Recipe, *, values: Sequence[str] = (), method: str | None = None) -> Sweep:
        """values: stages joined by "+", in the order in which they run.  method: any row with units; default the first."""
        base = connecting(recipe, method, self)
        sets = [text.split("+") for text in different(values, self) or self.usual(recipe, method)]
        if wrong := next((stages for stages in sets if "" in stages or len(set(stages)) < len(stages)), None):
            raise ValueError(f"sweep places: --values are stages joined by +, e.g. pool1+pool2; got {'+'.join(wrong)!r}")
        rows = [base.changed(at=tuple(stages), label=f"{base.title} at {' + '.join(stages)}") for stages in sets]
        swept = Swept(
            axis=self.name,
            label=f"{base.title}: places where streams meet",
            points=tuple(Point(text=_short(stages), method=row.title) for stages, row in zip(sets, rows, strict=True)),
        )
        return Sweep(varied(recipe, self, rows), swept)


def _short(stages: Sequence[str]) -> str:
    """The first and the last of many, since charts have little room."""
    return " + ".join(stages) if len(stages) < 3 else f"{stages[0]} ... {stages[-1]} ({len(stages)})"
