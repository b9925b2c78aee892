"""Hard sharing: one trunk up to a stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, final

from torch import Tensor

from taskweave.experiments.methods.method import Method
from taskweave.experiments.methods.single import gathered_stages, shortcut_title, single_run
from taskweave.experiments.methods.streams import example_inputs, streams_of
from taskweave.experiments.plan import Run, first_of
from taskweave.parts import Part
from taskweave.tasks.task import Task
from taskweave.units.unit import Unit
from taskweave.weaving import Connected, share

if TYPE_CHECKING:
    from taskweave.experiments.methods.row import Row
    from taskweave.experiments.recipe import Recipe


@final
class Shared(Method):
    """Hard sharing: one trunk up to a stage, that stage included.

    Args:
        until: The last shared stage.
        start: "fresh": trained jointly from the recipe's start. "single": from the stored single networks, the trunk from
            the first task's (the two steps of the cross-connected paper's section 2).
        shortcut: A unit that gathers the features of several stages, those of the trunk too, in front of each head.
        shortcut_at: The stages that it gathers; () for the recipe's, or the network's usual ones.
    """

    def __init__(
        self,
        *,
        until: str,
        start: Literal["fresh", "single"] = "fresh",
        shortcut: Part[Unit] | None = None,
        shortcut_at: tuple[str, ...] = (),
    ) -> None:
        self.until = until
        self.begin = start
        self.shortcut = shortcut
        self.shortcut_at = shortcut_at

    @property
    def title(self) -> str:
        return f"shared until {self.until}" + shortcut_title(self.shortcut)

    def runs(self, row: Row, recipe: Recipe, seed: int) -> tuple[Run, ...]:
        tasks = tuple(recipe.tasks)
        if self.begin == "fresh":
            return (Run(recipe, row, "joint", tasks, tasks, seed, first_of(recipe)),)
        with_shortcut: dict[str, Any] = {"shortcut": self.shortcut, "shortcut_at": self.shortcut_at}
        # the last one loaded fills the trunk: the first task's
        singles = tuple(single_run(recipe, task, seed, **with_shortcut) for task in reversed(tasks))
        return (Run(recipe, row, "connected", tasks, tasks, seed, singles),)

    @property
    def fine_tunes(self) -> bool:
        return self.begin == "single"

    def build(self, run: Run, tasks: Mapping[str, Task], example: Tensor) -> Connected:
        streams = streams_of(run, tasks)
        if self.shortcut is None:
            return share(streams, until=self.until)
        inputs = example_inputs(run, tasks, example)
        return share(streams, until=self.until, at=self.stages(run.recipe) or (), example=inputs, gather=(self.shortcut,))

    def stages(self, recipe: Recipe) -> tuple[str, ...] | None:
        return gathered_stages(self.shortcut, self.shortcut_at, recipe)
