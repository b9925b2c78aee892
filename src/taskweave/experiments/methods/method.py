"""A method of a comparison: asked what it trains and builds, never switched on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor, nn

from taskweave.tasks.task import Task
from taskweave.training import TrainingOptions
from taskweave.weaving.connected import Connected

if TYPE_CHECKING:
    from taskweave.experiments.methods.row import Row
    from taskweave.experiments.plan import Run
    from taskweave.experiments.recipe import Recipe


def connected(net: nn.Module) -> Connected:
    """A network that a method built, where it must be one of streams.

    Raises:
        ValueError: It is another module.
    """
    if not isinstance(net, Connected):
        raise ValueError(f"a method builds a taskweave.Connected, to be trained; got a {type(net).__name__}")
    return net


class Method(ABC):
    """A row of the table. Its options are what a recipe chooses; everything else is an answer to a question.

    A method of one's own answers `title`, `runs` and `build`; the rest has defaults.
    """

    is_baseline: ClassVar[bool] = False
    """Whether it is the single networks that every gain is relative to."""
    is_control: ClassVar[bool] = False
    """Whether it is the single networks trained on for as long as connected ones."""
    averages: ClassVar[bool] = False
    """Whether its outputs are a list for each task, one of each member, whose soft predictions are averaged."""
    trains_one_task: ClassVar[bool] = False
    """Whether every training of it has one task, so that there is nothing to weigh."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What tables call it where a row has no label."""

    @abstractmethod
    def runs(self, row: Row, recipe: Recipe, seed: int) -> tuple[Run, ...]:
        """The trainings whose measures make a row of the table; what they start from hangs on them as parents.

        Args:
            row: The row that asks, with its label, networks and weighting.
            recipe: With this row's networks, see `Row.fold`.
            seed: Of every training.
        """

    @abstractmethod
    def build(self, run: Run, tasks: Mapping[str, Task], example: Tensor) -> nn.Module:
        """The network of a run, with random weights: outputs {task: output}.

        Args:
            run: One of `runs`.
            tasks: Those of the run at least.
            example: Images (B, 3, H, W) of the size to train at; only their shape matters.

        Raises:
            ValueError: A stage does not exist; the message lists those that do.
        """

    @property
    def fine_tunes(self) -> bool:
        """Whether it goes on from stored single networks, so that "single, trained on" is its control."""
        return False

    def load(self, net: nn.Module, run: Run, runs: Path) -> None:
        """Give a fresh network what it begins with: the weights of its parents, and the recipe's start for the rest.

        Args:
            net: As built.
            run: Its parents are finished.
            runs: The folder of all runs.

        Raises:
            FileNotFoundError: Weights are not there.
            WrongCheckpointError: Weights are another network's.
        """
        from taskweave.experiments.methods.loading import load_parents

        load_parents(net, run, runs)

    def restore(self, net: nn.Module, run: Run, runs: Path) -> None:
        """Give a fresh network the weights that its finished run left; arguments and errors as of `load`."""
        from taskweave.training.checkpoint import WEIGHTS
        from taskweave.training.weights import load_weights

        load_weights(net, runs / run.digest / WEIGHTS)

    def options(self, options: TrainingOptions) -> TrainingOptions:
        """How it is trained, from what its schedule says."""
        return options

    def stages(self, recipe: Recipe) -> tuple[str, ...] | None:
        """Where its streams meet, in order; None where they do not."""
        return None

    def require_fit(self, row: Row, recipe: Recipe) -> None:  # noqa: B027 - most methods fit any recipe
        """Raise ValueError where the method does not fit a recipe; asked when the recipe is read."""

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Further words for people about it, by aspect ("rate of units", ...)."""
        yield from ()
