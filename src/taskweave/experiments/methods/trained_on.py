"""Every single network trained on for as many steps as the connected fine-tuning gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from torch import Tensor

from taskweave.experiments.methods.method import Method
from taskweave.experiments.methods.single import gathered_stages, shortcut_title, single_run
from taskweave.experiments.methods.streams import side_by_side
from taskweave.experiments.plan import Run
from taskweave.parts import Part
from taskweave.tasks.task import Task
from taskweave.units.unit import Unit
from taskweave.weaving.connected import Connected

if TYPE_CHECKING:
    from taskweave.experiments.methods.row import Row
    from taskweave.experiments.recipe import Recipe


@final
class SingleTrainedOn(Method):
    """Every single network trained on for as many steps as the connected fine-tuning gets: the control of that.

    Args:
        shortcut: As of the single networks.
        shortcut_at: The stages that it gathers; () for the recipe's, or the network's usual ones.
    """

    is_control: ClassVar[bool] = True
    trains_one_task: ClassVar[bool] = True

    def __init__(self, *, shortcut: Part[Unit] | None = None, shortcut_at: tuple[str, ...] = ()) -> None:
        self.shortcut = shortcut
        self.shortcut_at = shortcut_at

    @property
    def title(self) -> str:
        return "single, trained on" + shortcut_title(self.shortcut)

    def runs(self, row: Row, recipe: Recipe, seed: int) -> tuple[Run, ...]:
        parents = [
            single_run(recipe, task, seed, shortcut=self.shortcut, shortcut_at=self.shortcut_at) for task in recipe.tasks
        ]
        return tuple(Run(recipe, row, "trained_on", p.tasks, p.trained, seed, (p,)) for p in parents)

    def build(self, run: Run, tasks: Mapping[str, Task], example: Tensor) -> Connected:
        return side_by_side(run, tasks, example, self.shortcut, self.stages(run.recipe) or ())

    def stages(self, recipe: Recipe) -> tuple[str, ...] | None:
        return gathered_stages(self.shortcut, self.shortcut_at, recipe)
