"""Networks of all tasks that are built as one and trained jointly from their start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, final

from annotated_types import Ge
from torch import Tensor

from taskweave.experiments.methods.method import Method
from taskweave.experiments.plan import Run, first_of
from taskweave.parts import Part, part
from taskweave.tasks.task import Task
from taskweave.training import TrainingOptions
from taskweave.weaving.connected import Connected as ConnectedNetwork
from taskweave.weighting.weighting import Weighting

if TYPE_CHECKING:
    from taskweave.experiments.methods.row import Row
    from taskweave.experiments.recipe import Recipe


@final
class Joint(Method):
    """Any network that is made from {task: channels}: MT-UNet, MTAN, the pet paper's, or one of one's own.

    A network that states `trained_first` has another one trained before it, whose streams it starts from (the pet paper's
    open-ended question); it is then trained as `training.connected` says, the first one as `training.joint`.

    Args:
        network: What is built; its name may be written where a method is expected.
        branches: The tasks of its streams, in order; () for all of the recipe's.
        steps: Of its training; None for as many as the recipe says.
        first_steps: Of the network that is trained first; None for as many as `training.joint` says.
        first_weighting: Of the tasks of the network that is trained first.
    """

    def __init__(
        self,
        *,
        network: Part[ConnectedNetwork],
        branches: tuple[str, ...] = (),
        steps: Annotated[int, Ge(1)] | None = None,
        first_steps: Annotated[int, Ge(1)] | None = None,
        first_weighting: Part[Weighting] | None = None,
    ) -> None:
        self.network = network
        self.branches = branches
        self.steps = steps
        self.first_steps = first_steps
        self.first_weighting = first_weighting

    @property
    def title(self) -> str:
        title: str = self.network.fact("title", default=self.network.name.replace("_", " "))
        return f"{title} ({', '.join(self.branches)})" if self.branches and self.network.fact("names_branches") else title

    def runs(self, row: Row, recipe: Recipe, seed: int) -> tuple[Run, ...]:
        tasks, begun = self.branches or tuple(recipe.tasks), first_of(recipe)
        before: Part[ConnectedNetwork] | None = self.network.fact("trained_first")
        if before is None:
            return (Run(recipe, row, "joint", tasks, tasks, seed, begun),)
        first = part(Joint, network=before, branches=tasks[:-1], steps=self.first_steps)
        parent = Run(
            recipe, recipe.row(first, weighting=self.first_weighting), "joint", tasks[:-1], tasks[:-1], seed, begun
        )
        trained = tasks[-1:] if self.network.fact("rests") else tasks
        return (Run(recipe, row, "connected", tasks, trained, seed, (parent, *begun), measured=tasks),)

    def build(self, run: Run, tasks: Mapping[str, Task], example: Tensor) -> ConnectedNetwork:
        return self.network({name: tasks[name].channels for name in run.tasks})

    def options(self, options: TrainingOptions) -> TrainingOptions:
        return options if self.steps is None else options.model_copy(update={"steps": self.steps})

    def require_fit(self, row: Row, recipe: Recipe) -> None:
        if strange := [task for task in self.branches if task not in recipe.tasks]:
            raise ValueError(
                f"{row.title!r} has branches {strange}, no tasks of this recipe, whose tasks are {list(recipe.tasks)}"
            )
        if len(set(self.branches)) < len(self.branches):
            raise ValueError(f"branches are different tasks, got {list(self.branches)}")
