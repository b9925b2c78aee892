"""MT-UNet's weights: learned ones, scaled by how the losses' variances change."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Annotated, Any, Literal, final

import torch
from annotated_types import Ge, Lt
from torch import Tensor

from taskweave.weighting.weighting import Above0, Tasks, Weighting, weighted_sum

VarianceOf = Literal["iterations", "epochs"]


def variance_ratio_weights(learned: Tensor, ratios: Tensor) -> Tensor:
    """Return p_i = W_i a_i / sum_j W_j a_j of eq. 5. The weights sum to 1; scaling W changes nothing.

    Args:
        learned: W (K,).
        ratios: a (K,).
    """
    products = learned * ratios
    return products / products.sum()


@final
class VarianceRatio(Weighting):
    """Weights from the variance of the losses over epochs, as in MT-UNet.

    sum_i p_i L_i, p_i = W_i a_i / sum_j W_j a_j, a_i = (sigma_i(t-1) + eps) / (sigma_i(t-2) + eps): MT-UNet's eq. 5.

    W is learned at a rate of its own by an optimiser of its own, alternately with the network: a step moves the network at
    fixed weights, then W at that step's losses, taken as fixed. With equal W and a it is half of eq. 4 (two tasks).

    The gradient on W always moves weight to the smaller loss, so W tends to the end of its range; compare with `Fixed`.

    A task that is absent from a step keeps its part of the sum to 1; for W's update it counts with its last loss, and W
    stays until every task has had one. A task without labels in an epoch keeps its sigmas.

    **Deviations**: the paper gives no window, eps, start, sign handling or optimiser; these are our reading, as is sigma.

    Args:
        learning_rate: Of W.
        window: Over how many epochs up to t sigma_i(t) is taken; a = 1 until there are window + 1 epochs.
        variance_of: "iterations": sigma is the mean over the window of the variance of an epoch's iteration losses;
            "epochs": the variance of the window's epoch means (window of 2 or more). Population variances (divided by n).
        eps: As in the equation.
        floor: W = floor + softplus(w), w learned; all start at W = 1.
        optimizer: Of W. The paper's network has Adam.
        literal: W itself is learned, as printed: nothing keeps it positive, and weights may pass every bound. Warns.

    Raises:
        ValueError: An option is out of range.
    """

    def __init__(
        self,
        tasks: Tasks,
        *,
        learning_rate: Above0 = 1e-3,
        window: Annotated[int, Ge(1)] = 5,
        variance_of: VarianceOf = "iterations",
        eps: Above0 = 1e-8,
        floor: Annotated[float, Ge(0), Lt(1)] = 0.01,
        optimizer: Literal["adam", "sgd"] = "adam",
        literal: bool = False,
    ) -> None:
        super().__init__(tasks)
        if not 0.0 < learning_rate < math.inf or not 0.0 < eps < math.inf or not 0.0 <= floor < 1.0:
            raise ValueError(
                f"VarianceRatio needs learning_rate and eps above 0, floor in [0, 1); got {learning_rate}, {eps}, {floor}"
            )
        self.check({"window": window, "variance_of": variance_of})
        self._rate, self._eps, self._floor = learning_rate, eps, floor
        self._optimizer_kind, self._literal = optimizer, literal
        self._losses = EpochLosses(window=window, variance_of=variance_of)
        self.epochs_needed = window + 1
        start = 1.0 if literal else math.log(math.expm1(1.0 - floor))
        # no parameter: the network's optimiser must not have it; it stays on the CPU in double precision
        self._raw = torch.full((len(self.tasks),), start, dtype=torch.float64, requires_grad=True)
        kind = torch.optim.Adam if optimizer == "adam" else torch.optim.SGD
        self._optimizer: torch.optim.Optimizer = kind([self._raw], lr=learning_rate)
        self._latest: dict[str, float] = {}
        if literal:
            warnings.warn(
                "VarianceRatio(literal=True) learns W as eq. 5 is printed: nothing keeps the weights positive or finite. "
                "Leave `literal` out unless the divergence is what you study",
                stacklevel=2,
            )

    @staticmethod
    def check(options: Mapping[str, Any]) -> None:
        """Raise ValueError for a window that has no variance."""
        smallest = 1 if options["variance_of"] == "iterations" else 2
        if options["window"] < smallest:
            raise ValueError(
                f"a variance over {options['variance_of']} needs a window of {smallest} or more epochs, got "
                f"window={options['window']}"
            )

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        self.check_losses(losses)
        return weighted_sum(self.weights(), losses)

    def weights(self) -> dict[str, float]:
        return dict(zip(self.tasks, self._shares().tolist(), strict=True))

    def learned(self) -> dict[str, float]:
        """W."""
        return dict(zip(self.tasks, self._positive().tolist(), strict=True))

    def ratios(self) -> dict[str, float]:
        """a."""
        return {task: self._losses.ratio(task, eps=self._eps) for task in self.tasks}

    def _positive(self) -> Tensor:
        return self._raw if self._literal else self._floor + torch.nn.functional.softplus(self._raw)

    def _shares(self) -> Tensor:
        return variance_ratio_weights(self._positive(), torch.tensor(list(self.ratios().values()), dtype=torch.float64))

    def observe(self, losses: Mapping[str, float]) -> None:
        self._losses.add(losses)
        self._latest |= losses
        if len(self._latest) < len(self.tasks):
            return
        fixed = torch.tensor([self._latest[task] for task in self.tasks], dtype=torch.float64)
        self._optimizer.zero_grad(set_to_none=True)
        with torch.enable_grad():
            (self._shares() * fixed).sum().backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()

    def end_epoch(self) -> None:
        self._losses.end_epoch()

    def get_extra_state(self) -> dict[str, Any]:
        return {
            "raw": self._raw.detach().clone(),
            "optimizer": deepcopy(self._optimizer.state_dict()),
            "latest": dict(self._latest),
            "losses": self._losses.state(),
        }

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        with torch.no_grad():
            self._raw.copy_(state["raw"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._latest = dict(state["latest"])
        self._losses.restore(state["losses"])

    def determining(self) -> dict[str, Any]:
        return {
            **super().determining(),
            **self._losses.determining(),
            "learning_rate": self._rate,
            "eps": self._eps,
            "floor": self._floor,
            "optimizer": self._optimizer_kind,
            "literal": self._literal,
        }

    @staticmethod
    def title(options: Mapping[str, Any]) -> str:
        return "eq. 5" + (" as printed" if options["literal"] else "")


@final
class EpochLosses:
    """Every task's sigma(t) over a window of epochs, and the ratio of the last two.

    Args:
        window: How many epochs.
        variance_of: "iterations": the mean over the window of each epoch's variance over its iterations; "epochs": the
            variance of the window's epoch means. Population variances.
    """

    def __init__(self, *, window: int, variance_of: VarianceOf) -> None:
        self.window, self.variance_of = window, variance_of
        # of the epoch under way: {task: [count, mean, sum of squared distances]}
        self._running: dict[str, list[float]] = {}
        self._epochs: dict[str, list[float]] = {}  # {task: variance or mean of its last window + 1 epochs}

    def add(self, losses: Mapping[str, float]) -> None:
        """One iteration's losses of the tasks that had one."""
        for task, loss in losses.items():
            count, mean, squares = self._running.get(task, (0.0, 0.0, 0.0))
            distance, count = loss - mean, count + 1.0
            mean += distance / count
            self._running[task] = [count, mean, squares + distance * (loss - mean)]

    def end_epoch(self) -> None:
        """Keep each task's epoch; a task without a loss in it keeps what it has."""
        for task, (count, mean, squares) in self._running.items():
            found = squares / count if self.variance_of == "iterations" else mean
            self._epochs[task] = [*self._epochs.get(task, ()), found][-(self.window + 1) :]
        self._running = {}

    def ratio(self, task: str, *, eps: float) -> float:
        """(sigma(t-1) + eps) / (sigma(t-2) + eps) in epoch t; 1 until there are window + 1 epochs."""
        epochs = self._epochs.get(task, [])
        if len(epochs) <= self.window:
            return 1.0
        return (self._sigma(epochs[1:]) + eps) / (self._sigma(epochs[:-1]) + eps)

    def _sigma(self, epochs: Sequence[float]) -> float:
        mean = sum(epochs) / len(epochs)
        if self.variance_of == "iterations":
            return mean
        return sum((value - mean) ** 2 for value in epochs) / len(epochs)

    def state(self) -> dict[str, Any]:
        return {"running": dict(self._running), "epochs": dict(self._epochs)}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._running = {task: list(values) for task, values in state["running"].items()}
        self._epochs = {task: list(values) for task, values in state["epochs"].items()}

    def determining(self) -> dict[str, Any]:
        return {"window": self.window, "variance_of": self.variance_of}
