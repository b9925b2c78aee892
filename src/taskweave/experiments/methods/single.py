"""One network per task, trained alone: the baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from torch import Tensor

from taskweave.experiments.methods.method import Method
from taskweave.experiments.methods.streams import side_by_side, usual_stages
from taskweave.experiments.plan import Run, first_of
from taskweave.parts import Part, part
from taskweave.tasks.task import Task
from taskweave.units.unit import Unit
from taskweave.weaving.connected import Connected

if TYPE_CHECKING:
    from taskweave.experiments.methods.row import Row
    from taskweave.experiments.recipe import Recipe


@final
class Single(Method):
    """One network per task, trained alone: the baseline.

    Args:
        only: The tasks whose networks this row has; () for all.
        shortcut: A unit that gathers the features of several stages in front of the head (NDDR-CNN, section 4.4).
        shortcut_at: The stages that it gathers; () for the recipe's, or the network's usual ones.
    """

    is_baseline: ClassVar[bool] = True
    trains_one_task: ClassVar[bool] = True

    def __init__(
        self, *, only: tuple[str, ...] = (), shortcut: Part[Unit] | None = None, shortcut_at: tuple[str, ...] = ()
    ) -> None:
        self.only = only
        self.shortcut = shortcut
        self.shortcut_at = shortcut_at

    @property
    def title(self) -> str:
        return "single" + shortcut_title(self.shortcut)

    def runs(self, row: Row, recipe: Recipe, seed: int) -> tuple[Run, ...]:
        wanted = [task for task in recipe.tasks if task in (self.only or recipe.tasks)]
        return tuple(
            single_run(recipe, task, seed, shortcut=self.shortcut, shortcut_at=self.shortcut_at, label=row.label)
            for task in wanted
        )

    def build(self, run: Run, tasks: Mapping[str, Task], example: Tensor) -> Connected:
        return side_by_side(run, tasks, example, self.shortcut, self.stages(run.recipe) or ())

    def stages(self, recipe: Recipe) -> tuple[str, ...] | None:
        return gathered_stages(self.shortcut, self.shortcut_at, recipe)

    def require_fit(self, row: Row, recipe: Recipe) -> None:
        if strange := [task for task in self.only if task not in recipe.tasks]:
            raise ValueError(
                f"{row.title!r} is to have only {strange}, no tasks of this recipe: it has {list(recipe.tasks)}"
            )
        for task in self.only or recipe.tasks:
            row.fold(recipe).network_of(task)


def shortcut_title(shortcut: Part[Unit] | None) -> str:
    """What a shortcut adds to a method's title."""
    return "" if shortcut is None else " + shortcut"


def gathered_stages(shortcut: Part[Unit] | None, at: tuple[str, ...], recipe: Recipe) -> tuple[str, ...] | None:
    """The stages that a shortcut gathers; None where there is no shortcut."""
    if shortcut is None:
        return None
    return at or recipe.at or usual_stages(recipe, recipe.tasks)


def single_run(
    recipe: Recipe,
    task: str,
    seed: int,
    *,
    shortcut: Part[Unit] | None = None,
    shortcut_at: tuple[str, ...] = (),
    label: str = "",
) -> Run:
    """The training of one task's network: the same run whichever method starts from it."""
    row = recipe.row(part(Single, shortcut=shortcut, shortcut_at=shortcut_at), label=label)
    if recipe.network_of(task).fact("as_given"):
        return Run(recipe, row, "none", (task,), (task,), seed)
    return Run(recipe, row, "single", (task,), (task,), seed, first_of(recipe))
