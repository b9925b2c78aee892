"""Which task is tested on which data: the columns of the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from taskweave.experiments.data import sets_of
from taskweave.experiments.recipe import Recipe


@final
@dataclass(frozen=True)
class Column:
    """A task on one part of some data.

    name: what metrics of it go by: the task's name, or with that of the data behind it where it is not the only test.
    data: the name of a data set of the recipe, or of a further test.  further: whether it is one.
    part: of a data set of the recipe; "train" and "validation" are measured beside its test.
    """

    name: str
    task: str
    data: str
    further: bool = False
    part: Literal["test", "train", "validation"] = "test"


def columns_of(recipe: Recipe) -> tuple[Column, ...]:
    """For every task the test parts of the data sets that it is trained on, their other parts, then the further tests."""
    found: list[Column] = []
    for task in recipe.tasks:
        labelled = [name for name, one in sets_of(recipe.data).items() if one.labelled_for([task])]
        names = {name: task if i == 0 else f"{task} on {name}" for i, name in enumerate(labelled)}
        found += [Column(title, task, name) for name, title in names.items()]
        for part in recipe.evaluation.also_on:
            found += [Column(f"{title} ({part})", task, name, part=part) for name, title in names.items()]
        found += [
            Column(f"{task} on {name}", task, name, further=True)
            for name, test in recipe.further_tests.items()
            if test.data.labelled_for([task])
        ]
    return tuple(found)


def is_own_test(column: Column) -> bool:
    """Whether it is the test part of the recipe's own data: what counts in the average gain."""
    return column.part == "test" and not column.further


def own_columns(recipe: Recipe, tasks: tuple[str, ...]) -> tuple[Column, ...]:
    """Those of some tasks on the test parts of the recipe's own data."""
    return tuple(column for column in columns_of(recipe) if column.task in tasks and is_own_test(column))


def further_columns(recipe: Recipe, tasks: tuple[str, ...]) -> tuple[Column, ...]:
    """Those of some tasks on further tests, and on other parts of the recipe's own data."""
    return tuple(column for column in columns_of(recipe) if column.task in tasks and not is_own_test(column))
