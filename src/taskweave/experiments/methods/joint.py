"""Networks of all tasks that are built as one and trained jointly from their start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, final

from annotated_types import Ge
from torch import Tensor, nn

from taskweave.experiments.agreement import require_size, tested_on
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

    One with an option `branches` has streams of these tasks, else of all. A network that states `trained_first` has another
    one trained before it, whose streams it starts from (the pet paper's open-ended question); it is then trained as
    `training.connected` says, the first one as `training.joint`.

    Args:
        network: What is built; its name may be written where a method is expected.
        steps: Of its training; None for as many as the recipe says.
        first_steps: Of the network that is trained first; None for as many as `training.joint` says.
        first_weighting: Of the tasks of the network that is trained first.
    """

    def __init__(
        self,
        *,
        network: Part[ConnectedNetwork],
        steps: Annotated[int, Ge(1)] | None = None,
        first_steps: Annotated[int, Ge(1)] | None = None,
        first_weighting: Part[Weighting] | None = None,
    ) -> None:
        self.network = network
        self.branches: tuple[str, ...] = network.options.get("branches", ())
        self.steps = steps
        self.first_steps = first_steps
        self.first_weighting = first_weighting

    @property
    def title(self) -> str:
        return self.network.title

    def runs(self, row: Row, recipe: Recipe, seed: int) -> tuple[Run, ...]:
        recipe, tasks = self._with_its_body(recipe), self.branches or tuple(recipe.tasks)
        begun, before = first_of(recipe), self.network.fact("trained_first", tasks)
        if before is None:
            return (Run(recipe, row, "joint", tasks, tasks, seed, begun),)
        first = recipe.row(part(Joint, network=before, steps=self.first_steps), weighting=self.first_weighting)
        parent = Run(recipe, first, "joint", tasks[:-1], tasks[:-1], seed, begun)
        trained = tasks[-1:] if self.network.fact("rests") else tasks
        return (Run(recipe, row, "connected", tasks, trained, seed, (parent, *begun), measured=tasks),)

    def _with_its_body(self, recipe: Recipe) -> Recipe:
        """The recipe with the single-task network whose body this one has: what a start is trained in."""
        body: Part[nn.Module] | None = self.network.fact("dense_counterpart")
        return recipe if body is None else recipe.model_copy(update={"network": body, "networks": {}})

    def build(self, run: Run, tasks: Mapping[str, Task], example: Tensor) -> ConnectedNetwork:
        return self.network({name: tasks[name].channels for name in run.tasks})

    def options(self, options: TrainingOptions) -> TrainingOptions:
        return options if self.steps is None else options.model_copy(update={"steps": self.steps})

    def require_fit(self, row: Row, recipe: Recipe) -> None:
        if strange := [task for task in self.branches if task not in recipe.tasks]:
            raise ValueError(
                f"{row.title!r} has branches {strange}, no tasks of this recipe, whose tasks are {list(recipe.tasks)}"
            )
        tasks = self.branches or tuple(recipe.tasks)
        self._require_forms(recipe, tasks)
        require_size(self.network, list(tasks), tested_on(recipe))
        named = () if self.first_weighting is None else self.first_weighting.fact("named") or ()
        if strange := [task for task in named if task not in tasks[:-1]]:
            raise ValueError(f"first_weighting names {strange}; the tasks that are trained first are {list(tasks[:-1])}")

    def _require_forms(self, recipe: Recipe, tasks: tuple[str, ...]) -> None:
        """Raise ValueError for a task that reads another form of output than its branch gives."""
        gives: str | Mapping[str, str] | None = self.network.fact("gives", tasks)
        by_task = dict.fromkeys(tasks, gives) if isinstance(gives, str) else gives or {}
        for task, form in by_task.items():
            reads = recipe.tasks[task].task.fact("reads")
            if reads and reads != form:
                use = recipe.tasks[task].task.name
                raise ValueError(
                    f"{self.network.name!r} gives {form} for {task!r}, and this task ({use}) reads {reads}; its "
                    f"branches are {list(tasks)}: choose others, or another order, with `branches`"
                )
