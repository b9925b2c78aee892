"""How much each task's loss varies, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, final

VarianceOf = Literal["iterations", "epochs"]


@final
class EpochLosses:
    """Every task's sigma(t) over a window of epochs, and the ratio of the last two.

    variance_of: "iterations": the mean over the window of each epoch's variance over its iterations; "epochs": the
        variance of the window's epoch means. Population variances.
    Raises ValueError for a window that has no variance.
    """

    def __init__(self, *, window: int, variance_of: VarianceOf) -> None:
        smallest = 1 if variance_of == "iterations" else 2
        if window < smallest:
            raise ValueError(
                f"a variance over {variance_of} needs a window of {smallest} or more epochs, got window={window}"
            )
        self.window, self.variance_of = window, variance_of
        self._running: dict[
            str, list[float]
        ] = {}  # of the epoch under way: {task: [count, mean, sum of squared distances]}
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
