"""Which task is tested on which data: the columns of the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from taskweave.evaluation.choices.mixture import sets_of
from taskweave.evaluation.recipe import Recipe


@final
@dataclass(frozen=True)
class Column:
    """A task on one test part.

    name: what metrics of it go by: the task's name, or with that of the data behind it where it is not the only test.
    data: the name of a data set of the recipe, or of a further test.  further: whether it is one.
    """

    name: str
    task: str
    data: str
    further: bool = False


def columns_of(recipe: Recipe) -> tuple[Column, ...]:
    """For every task the test parts of the data sets that it is trained on, then the further tests."""
    found: list[Column] = []
    for task in recipe.tasks.chosen:
        labelled = [name for name, one in sets_of(recipe.data).items() if one.labelled_for([task])]
        found += [Column(task if i == 0 else f"{task} on {name}", task, name) for i, name in enumerate(labelled)]
        found += [
            Column(f"{task} on {name}", task, name, further=True)
            for name, test in recipe.further_tests.items()
            if test.data.labelled_for([task])
        ]
    return tuple(found)


def own_columns(recipe: Recipe, tasks: tuple[str, ...]) -> tuple[Column, ...]:
    """Those of some tasks on the recipe's own data."""
    return tuple(column for column in columns_of(recipe) if column.task in tasks and not column.further)


def further_columns(recipe: Recipe, tasks: tuple[str, ...]) -> tuple[Column, ...]:
    """Those of some tasks on further tests."""
    return tuple(column for column in columns_of(recipe) if column.task in tasks and column.further)
