"""What a sweep is: a recipe, and which of its rows belongs to which value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from taskweave.experiments.recipe import Recipe


@final
@dataclass(frozen=True)
class Point:
    """One value. text: on the axis.  method: the row that has it.  number: where the axis is one of numbers.

    seed: None for all seeds of the row.
    """

    text: str
    method: str
    number: float | None = None
    seed: int | None = None


@final
@dataclass(frozen=True)
class Swept:
    """A recipe whose rows are the values of one axis.

    axis: its name.  label: what is on the chart's axis.  points: by value, in order.  beside: rows that have no value of
    the axis and are drawn for comparison.  logarithmic: whether numbers are spaced by their ratio.
    relative: draw performance relative to the single networks (cross-stitch, figure 2), else the gain over them.
    """

    axis: str
    label: str
    recipe: Recipe
    points: tuple[Point, ...]
    beside: tuple[str, ...] = ()
    logarithmic: bool = False
    relative: bool = False
