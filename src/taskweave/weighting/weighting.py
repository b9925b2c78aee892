"""The contract of every weighting, several losses to one step, and the default: fixed weights."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, final

from annotated_types import Gt
from torch import Tensor, nn

Above0 = Annotated[float, Gt(0)]
ByTask = dict[str, Above0]
"""{task: number}, of some of the tasks."""
NONE_NAMED: ByTask = {}
"""The default of an option by task."""

Tasks = Mapping[str, Any] | Sequence[str]
"""{name: task}, or the names alone."""


class Weighting(nn.Module, ABC):
    """{task: loss} -> one loss. It sees losses only; what it must remember is in its own state_dict.

    A training calls, in this order: `forward` on every batch of a step (one, but for ``accumulate``); after the step
    `observe`; after the last step of an epoch `end_epoch`. Its parameters learn with the network's optimiser, as a group
    of their own that never decays.

    As a part it may state two facts of its options: `title(options)`, what a table calls it, and `named(options)`, the
    tasks that it names.

    Args:
        tasks: All that it may be given a loss of. A task without a label in a batch is a missing key, never a 0.

    Raises:
        ValueError: There are no tasks.
    """

    learning_rate: float | None = None
    """The rate of its parameters before the schedule's factor; None for the network's base rate."""

    epochs_needed: int = 0
    """How many whole epochs must be over before it does what it is for; a training that ends before warns."""

    def __init__(self, tasks: Tasks) -> None:
        super().__init__()
        self.tasks = tuple(dict.fromkeys(tasks))
        if not self.tasks:
            raise ValueError(f"{type(self).__name__} needs the names of the tasks that it weighs, got none")

    @abstractmethod
    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """Return the weighted sum of the losses present: scalars, of at least one task. The weights' state does not change.

        Raises:
            ValueError: There are no losses.
            KeyError: A task is unknown.
        """

    @abstractmethod
    def weights(self) -> dict[str, float]:
        """The current factor of every task's loss, for the log; a task may be missing where it has none."""

    def observe(self, losses: Mapping[str, float]) -> None:
        """Told after a step: the unweighted losses, each the mean over those of the step's batches that have it."""

    def end_epoch(self) -> None:
        """Told after the last step of a pass over the data; of a mixture, of as many samples as its sets have together."""

    def determining(self) -> dict[str, Any]:
        """What changes the trained weights, as JSON values: what a training in a folder is known by."""
        return {"kind": type(self).__name__}

    def check_losses(self, losses: Mapping[str, Any]) -> None:
        """Check that there are losses, all of known tasks.

        Raises:
            ValueError: There are no losses.
            KeyError: A task is unknown.
        """
        if not losses:
            raise ValueError(f"{type(self).__name__} got no losses to weigh")
        if unknown := [task for task in losses if task not in self.tasks]:
            raise KeyError(f"{type(self).__name__} has no weight for {unknown}; its weights are for {list(self.tasks)}")

    def check_named(self, option: str, by_task: Mapping[str, float], what: str, *, least: float) -> None:
        """Raise ValueError for an option by task that names others, or has a number not finite or not above `least`."""
        if set(by_task) - set(self.tasks) or not all(least < value < math.inf for value in by_task.values()):
            raise ValueError(f"{option} should be {what} for some of the tasks {list(self.tasks)}, got {dict(by_task)}")


class GradientWeighting(Weighting):
    """A weighting that combines the tasks' gradients instead of their losses.

    Training passes it each task's gradient of the step, over the parameters that several tasks reach; a parameter that only
    one task reaches takes that task's gradient. `forward` is the plain sum of the losses.

    Attributes:
        over: "shared": as above. "all": over every parameter, with 0 where a task does not reach.
    """

    over: Literal["shared", "all"] = "shared"

    @abstractmethod
    def aggregate(self, gradients: Mapping[str, Tensor]) -> Tensor:
        """One gradient (n,) from {task: its gradient (n,)}, of at least one task and none of them all 0."""


def weighted_sum(weights: Mapping[str, float], losses: Mapping[str, Tensor]) -> Tensor:
    """sum_t weights[t] * losses[t] over the losses that are there."""
    return sum_of([weights[task] * loss for task, loss in losses.items()])


def sum_of(terms: Sequence[Tensor]) -> Tensor:
    """Their sum, of one or more."""
    return sum(terms[1:], terms[0])


@final
class Fixed(Weighting):
    """Fixed weights: sum_t w_t L_t. The weights are not normalised.

    Eq. 4 of MT-UNet is all weights 1; its figure 4 has (.3, .7) and (.7, .3), depth first.

    Args:
        weights: {task: w}; 1 for a task that is not named.

    Raises:
        ValueError: A weight is not finite, or of another task.
    """

    def __init__(self, tasks: Tasks, *, weights: ByTask = NONE_NAMED) -> None:
        super().__init__(tasks)
        self.check_named("weights", weights, "finite numbers", least=-math.inf)
        self._weights = {task: weights.get(task, 1.0) for task in self.tasks}

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        self.check_losses(losses)
        return weighted_sum(self._weights, losses)

    def weights(self) -> dict[str, float]:
        return dict(self._weights)

    def determining(self) -> dict[str, Any]:
        return {}  # a training without a weighting has these; what it is known by must not change

    @staticmethod
    def title(options: Mapping[str, Any]) -> str:
        return "weights " + (", ".join(f"{task} {weight:g}" for task, weight in options["weights"].items()) or "1")

    @staticmethod
    def named(options: Mapping[str, Any]) -> Sequence[str]:
        return list(options["weights"])
