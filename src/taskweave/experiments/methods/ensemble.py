"""Two single networks per task, their predictions averaged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, final

from annotated_types import Ge
from torch import Tensor, nn

from taskweave.experiments.methods.method import Method, connected
from taskweave.experiments.methods.single import gathered_stages, shortcut_title, single_run
from taskweave.experiments.plan import Run
from taskweave.parts import Part
from taskweave.tasks.task import Task
from taskweave.units.unit import Unit
from taskweave.weaving.connected import Ensemble as EnsembleNetwork

if TYPE_CHECKING:
    from taskweave.experiments.methods.row import Row
    from taskweave.experiments.recipe import Recipe


@final
class Ensemble(Method):
    """Two single networks per task, their predictions averaged (cross-stitch paper: twice the parameters).

    Args:
        second_seed: Added to a run's seed for its second member.
        shortcut: As of the single networks.
        shortcut_at: The stages that it gathers; () for the recipe's, or the network's usual ones.
    """

    averages: ClassVar[bool] = True
    trains_one_task: ClassVar[bool] = True

    def __init__(
        self,
        *,
        second_seed: Annotated[int, Ge(1)] = 1000,
        shortcut: Part[Unit] | None = None,
        shortcut_at: tuple[str, ...] = (),
    ) -> None:
        self.second_seed = second_seed
        self.shortcut = shortcut
        self.shortcut_at = shortcut_at

    @property
    def title(self) -> str:
        return "ensemble" + shortcut_title(self.shortcut)

    def runs(self, row: Row, recipe: Recipe, seed: int) -> tuple[Run, ...]:
        def members(task: str) -> tuple[Run, ...]:
            return tuple(
                single_run(recipe, task, s, shortcut=self.shortcut, shortcut_at=self.shortcut_at)
                for s in (seed, seed + self.second_seed)
            )

        return tuple(Run(recipe, row, "none", (task,), (task,), seed, members(task)) for task in recipe.tasks)

    def build(self, run: Run, tasks: Mapping[str, Task], example: Tensor) -> EnsembleNetwork:
        return EnsembleNetwork([connected(member.method.build(member, tasks, example)) for member in run.parents])

    def restore(self, net: nn.Module, run: Run, runs: Path) -> None:
        assert isinstance(net, EnsembleNetwork)
        for member, parent in zip(net.members, run.parents, strict=True):
            parent.method.restore(member, parent, runs)

    def stages(self, recipe: Recipe) -> tuple[str, ...] | None:
        return gathered_stages(self.shortcut, self.shortcut_at, recipe)
