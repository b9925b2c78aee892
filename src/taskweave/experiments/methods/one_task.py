"""A connected network trained for one task at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from torch import Tensor

from taskweave.experiments.methods.connected import Connected
from taskweave.experiments.methods.method import Method
from taskweave.experiments.plan import Run
from taskweave.parts import Part
from taskweave.tasks.task import Task
from taskweave.training import TrainingOptions
from taskweave.weaving.connected import Connected as ConnectedNetwork

if TYPE_CHECKING:
    from taskweave.experiments.methods.row import Row
    from taskweave.experiments.recipe import Recipe


@final
class OneTask(Method):
    """The same connected network, trained for one task at a time: does the gain come from the other labels, or the size?

    Args:
        connected: The method whose network it is; it starts from single networks.
    """

    trains_one_task: ClassVar[bool] = True

    def __init__(self, *, connected: Part[Connected]) -> None:
        self.connected = connected
        self._inner = connected()

    @property
    def title(self) -> str:
        return f"{self._inner.title}, trained on one task"

    @property
    def fine_tunes(self) -> bool:
        return True

    def runs(self, row: Row, recipe: Recipe, seed: int) -> tuple[Run, ...]:
        tasks, singles = tuple(recipe.tasks), self._inner.singles(recipe, seed)
        return tuple(Run(recipe, row, "connected", tasks, (task,), seed, singles) for task in tasks)

    def build(self, run: Run, tasks: Mapping[str, Task], example: Tensor) -> ConnectedNetwork:
        return self._inner.build(run, tasks, example)

    def options(self, options: TrainingOptions) -> TrainingOptions:
        return self._inner.options(options)

    def stages(self, recipe: Recipe) -> tuple[str, ...]:
        return self._inner.stages(recipe)

    def require_fit(self, row: Row, recipe: Recipe) -> None:
        if self._inner.begin is not None:
            raise ValueError(f"{row.title!r} starts from single networks: leave `start` out of its `connected`")
        self._inner.require_fit(row, recipe)
