"""The interface of all axes, and how a recipe is varied."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from taskweave.experiments.methods.row import Row
from taskweave.experiments.recipe import Recipe, read
from taskweave.parts import known, unknown
from taskweave.results.comparison import Swept
from taskweave.units.unit import Unit


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


def varied(recipe: Recipe, axis: Axis, rows: Sequence[Row], *, seeds: Sequence[int] | None = None) -> Recipe:
    """The recipe with other rows under its single networks', named after the axis. Raises ValueError for equal labels."""
    kept = [row for row in recipe.methods if alone(row)]
    own = {"name", "methods", "seeds", "notes", "printed"}  # what a paper prints is of the rows that it was printed for
    given = {field: getattr(recipe, field) for field in recipe.model_fields_set - own}
    changed = {
        "name": f"{recipe.name}-sweep-{axis.name}",
        "methods": (*kept, *rows),
        "seeds": tuple(recipe.seeds if seeds is None else seeds),
        "notes": f"{recipe.name}, swept over {axis.name}. {recipe.notes}".strip(),
    }
    return read({**given, **changed}, f"sweep {axis.name}")


def alone(row: Row) -> bool:
    """Whether a row is the recipe's own single networks, trained on or not, which stand in every sweep."""
    return (row.made.is_baseline or row.made.is_control) and not row.has_networks


def connecting(
    recipe: Recipe, method: str | None, axis: Axis, *, options: Sequence[str] = (), also: Sequence[str] = ()
) -> Row:
    """The row of a recipe that an axis varies: the named one, else the first that can be, else cross-stitch.

    Args:
        recipe: Whose rows they are.
        method: The label of a row, or the name of its unit; None for the first that can be varied.
        axis: That asks.
        options: What the row's unit must have.
        also: Units that may be named where the recipe has no such row.

    Raises:
        ValueError: The name is no such row's.
    """
    rows = [row for row in recipe.methods if row.unit is not None and set(options) <= set(row.unit.options)]
    if method is None:
        return rows[0] if rows else unit_row("cross_stitch")
    named = [row for row in rows if row.title == method] or [row for row in rows if row.is_called(method)]
    if named:
        return named[0]
    if method in also:
        return unit_row(method)
    able = dict.fromkeys([*(row.title for row in rows), *(row.unit.name for row in rows if row.unit is not None), *also])
    raise ValueError(f"sweep {axis.name}: " + unknown(f"method {method!r}", method, list(able)))


def unit_row(unit: str) -> Row:
    """A row of single networks that meet through a unit, as its paper has it. Raises ValueError for an unknown name."""
    if ":" not in unit and unit not in known(Unit):
        raise ValueError(unknown(f"unit {unit!r}", unit, list(known(Unit))))
    return Row.model_validate({"use": unit})


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
