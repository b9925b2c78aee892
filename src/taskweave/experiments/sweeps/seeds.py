"""The same recipe with other seeds: what chance alone changes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count, islice
from typing import final

from taskweave.experiments.recipe import Recipe
from taskweave.experiments.sweeps.axis import Axis, Sweep, alone, different, varied
from taskweave.parts import unknown
from taskweave.results.comparison import Point, Swept
from taskweave.results.intervals import LEAST_SEEDS


@final
class Seeds(Axis):
    """More seeds; the rows stay."""

    @property
    def name(self) -> str:
        return "seeds"

    def usual(self, recipe: Recipe, method: str | None) -> tuple[str, ...]:
        """The recipe's own and the next whole numbers, `LEAST_SEEDS` at least."""
        own = recipe.seeds
        more = (seed for seed in count(max(own) + 1))
        return tuple(str(seed) for seed in (*own, *islice(more, max(0, LEAST_SEEDS - len(own)))))

    def of(self, recipe: Recipe, *, values: Sequence[str] = (), method: str | None = None) -> Sweep:
        """values: whole numbers.  method: the row that is drawn; default the recipe's last. All rows are trained."""
        seeds = [self._seed(text) for text in different(values, self) or self.usual(recipe, method)]
        named = [row.title for row in recipe.rows[1:] if method is None or row.is_called(method)]
        if not named:
            able = [row.title for row in recipe.rows[1:]]
            raise ValueError(f"sweep seeds: {unknown(f'method {method!r}', str(method), able)}")
        drawn = named[-1] if method is None else named[0]
        swept = Swept(
            axis=self.name,
            label=f"{drawn}: seed",
            points=tuple(Point(text=str(seed), method=drawn, seed=seed) for seed in seeds),
        )
        return Sweep(varied(recipe, self, [row for row in recipe.methods if not alone(row)], seeds=seeds), swept)

    def _seed(self, text: str) -> int:
        try:
            return int(text)
        except ValueError as error:
            raise ValueError(f"sweep seeds: --values are whole numbers, e.g. 0,1,2; got {text!r}") from error
