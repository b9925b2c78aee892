"""The last layers of all tasks factorised through a shared latent matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, final

from annotated_types import Ge
from torch import Tensor

from taskweave.experiments.methods.method import Method
from taskweave.experiments.methods.streams import streams_of
from taskweave.experiments.plan import Run, first_of
from taskweave.tasks.task import Task
from taskweave.weaving import Connected, share_latent

if TYPE_CHECKING:
    from taskweave.experiments.methods.row import Row
    from taskweave.experiments.recipe import Recipe


@final
class SharedLatent(Method):
    """MTL-shared: the last layers of all tasks factorised through a shared latent matrix, trained jointly.

    The baseline of the cross-stitch paper, section 6.1; see `taskweave.share_latent`.

    Args:
        rank: Rows of the shared matrix.
    """

    def __init__(self, *, rank: Annotated[int, Ge(1)] = 16) -> None:
        self.rank = rank

    @property
    def title(self) -> str:
        return "shared latent"

    def runs(self, row: Row, recipe: Recipe, seed: int) -> tuple[Run, ...]:
        tasks = tuple(recipe.tasks)
        return (Run(recipe, row, "joint", tasks, tasks, seed, first_of(recipe)),)

    def build(self, run: Run, tasks: Mapping[str, Task], example: Tensor) -> Connected:
        return share_latent(streams_of(run, tasks), rank=self.rank, layers=_scores(run))


def _scores(run: Run) -> dict[str, tuple[str, ...]] | None:
    """The last layers that are joined where networks differ in theirs: those that the networks state as their scores."""
    found = {name: run.recipe.network_of(name).fact("scores") for name in run.tasks}
    return {name: tuple(paths) for name, paths in found.items()} if all(found.values()) else None
