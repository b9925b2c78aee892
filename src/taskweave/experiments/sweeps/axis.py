"""The interface of all axes, and how a recipe is varied."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from taskweave.experiments.choices.method import (
    NDDR,
    CommonStitch,
    ConnectingChoice,
    CrossConnected,
    CrossStitch,
    Method,
    ScaleLayer,
    Single,
    SingleTrainedOn,
    Sluice,
)
from taskweave.experiments.explaining import unknown
from taskweave.experiments.recipe import Recipe, read
from taskweave.results.swept import Swept

WithUnits = CrossStitch | NDDR | Sluice | CrossConnected | ScaleLayer | CommonStitch


@final
@dataclass(frozen=True)
class Sweep:
    """A recipe whose rows are the values of one axis, and which row has which value."""

    recipe: Recipe
    swept: Swept


class Axis(ABC):
    """One thing that a sweep varies."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What the command line calls it."""

    @abstractmethod
    def usual(self, recipe: Recipe, method: str | None) -> tuple[str, ...]:
        """The values where none are given, as the command line takes them."""

    @abstractmethod
    def of(self, recipe: Recipe, *, values: Sequence[str] = (), method: str | None = None) -> Sweep:
        """The recipe that sweeps over the values (default: `usual`), its rows beside single and single trained on.

        method: the label or kind of the row that is varied; None for the first that can be.
        Raises ValueError for values, a method or a recipe that do not fit, and says which would.
        """


def varied(recipe: Recipe, axis: Axis, methods: Sequence[Method], *, seeds: Sequence[int] | None = None) -> Recipe:
    """The recipe with other rows under its single networks', named after the axis. Raises ValueError for equal labels."""
    kept = [method for method in recipe.methods if alone(method)]
    own = {"name", "methods", "seeds", "notes", "printed"}  # what a paper prints is of the rows that it was printed for
    given = {field: getattr(recipe, field) for field in recipe.model_fields_set - own}
    changed = {
        "name": f"{recipe.name}-sweep-{axis.name}",
        "methods": (*kept, *methods),
        "seeds": tuple(recipe.seeds if seeds is None else seeds),
        "notes": f"{recipe.name}, swept over {axis.name}. {recipe.notes}".strip(),
    }
    return read({**given, **changed}, f"sweep {axis.name}")


def alone(method: Method) -> bool:
    """Whether a row is the recipe's own single networks, trained on or not, which stand in every sweep."""
    return isinstance(method, Single | SingleTrainedOn) and method.network is None


def connecting(
    recipe: Recipe,
    method: str | None,
    axis: Axis,
    *,
    kinds: tuple[type[ConnectingChoice], ...] = (ConnectingChoice,),
    known: Sequence[WithUnits] = (),
) -> WithUnits:
    """The method of a recipe that an axis varies: the named one, else the first of these kinds, else cross-stitch.

    known: others that may be named by their kind where the recipe has no such row.
    Raises ValueError for a name that is no such row's.
    """
    rows = [row for row in recipe.methods if isinstance(row, ConnectingChoice) and isinstance(row, kinds)]
    if method is None:
        return rows[0] if rows else CrossStitch()
    named = [row for row in rows if row.title == method] or [row for row in (*rows, *known) if row.kind == method]
    if named:
        return named[0]
    able = dict.fromkeys([*(row.title for row in rows), *(row.kind for row in (*rows, *known))])
    raise ValueError(f"sweep {axis.name}: " + unknown(f"method {method!r}", method, list(able)))


def different(values: Sequence[str], axis: Axis) -> tuple[str, ...]:
    """The values, each once. Raises ValueError for one that is given twice."""
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"sweep {axis.name}: --values names {twice} twice, got {list(values)}")
    return tuple(values)


def number(text: str, axis: Axis, *, example: str) -> float:
    """A value that is a finite number. Raises ValueError for anything else."""
    refusal = f"sweep {axis.name}: --values are numbers, e.g. {example}; got {text!r}"
    try:
        value = float(text)
    except ValueError as error:
        raise ValueError(refusal) from error
    if not math.isfinite(value):
        raise ValueError(refusal)
    return value
