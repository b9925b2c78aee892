"""What a training gives back, and which of its validations it stands for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, final

from taskweave.tasks.task import Task
from taskweave.training.options import TrainingOptions

Metrics = dict[str, dict[str, float]]
"""{task: {metric: value}}."""

Stopped = Literal["finished", "interrupted", "deadline"]


@final
@dataclass(frozen=True)
class Validation:
    """The metrics of one validation, after `step` optimiser steps."""

    step: int
    metrics: Metrics


@final
@dataclass(frozen=True)
class FitResult:
    """How far a training came, and what it found.

    stopped: "finished", or why it stopped at a resumable point.
    step: optimiser steps done, those before a resume included.
    metrics: what `TrainingOptions.choose` reports of the validations; None where there were none or it did not finish.
    history: every validation, in order.
    seconds: time spent in training steps (validation, saving and start-up left out), over all resumes; those spent
        waiting for data are in `waited`.
    weights: the kept weights (safetensors), where finished; None before.
    statistics: where finished with batch_norm="per_data_set", those of each data set; see `training.norms.read_statistics`.
    """

    stopped: Stopped
    step: int
    metrics: Metrics | None
    history: tuple[Validation, ...]
    seconds: float
    waited: float
    weights: Path | None
    statistics: Path | None = None

    @property
    def finished(self) -> bool:
        return self.stopped == "finished"

    @property
    def seconds_per_step(self) -> float:
        """Of computing; waiting for data left out."""
        return (self.seconds - self.waited) / max(self.step, 1)


def validation_steps(options: TrainingOptions, *, epoch: int) -> list[int]:
    """After how many steps to validate: every `validate_every` (else every `epoch`) steps and at the end.

    Under "mean_last" only the last `mean_over` of these.
    """
    every = options.validate_every or epoch
    steps = sorted({*range(every, options.steps + 1, every), options.steps})
    return steps[-options.mean_over :] if options.choose == "mean_last" else steps


def gain(new: Metrics, old: Metrics, tasks: Mapping[str, Task]) -> float:
    """How much better `new` is than `old`: over tasks, the mean of the mean over metrics of s (new - old) / m.

    s is +1 where higher is better, else -1; m the mean of |new| and |old|, so gain(a, b) = -gain(b, a) and a metric near 0
    counts no more than any other. Metrics that are not finite in both are left out.
    """
    per_task = []
    for name, metrics in new.items():
        gains = [
            (value - old[name][metric])
            * (1.0 if tasks[name].directions[metric] == "higher" else -1.0)
            / ((abs(value) + abs(old[name][metric])) / 2.0 or 1.0)
            for metric, value in metrics.items()
            if metric in tasks[name].directions and math.isfinite(value) and math.isfinite(old[name][metric])
        ]
        if gains:
            per_task.append(sum(gains) / len(gains))
    return sum(per_task) / len(per_task) if per_task else 0.0


def better(new: Validation, best: Validation | None, tasks: Mapping[str, Task]) -> bool:
    """Whether `new` takes the place of the best validation so far: its gain over it is positive."""
    return best is None or gain(new.metrics, best.metrics, tasks) > 0.0


def reported(history: Sequence[Validation], best: Validation | None, options: TrainingOptions) -> Metrics | None:
    """The metrics that the training stands for; None where nothing was validated."""
    if not history:
        return None
    if options.choose == "best":
        assert best is not None
        return best.metrics
    if options.choose == "last":
        return history[-1].metrics
    last = history[-options.mean_over :]
    return {
        task: {metric: sum(v.metrics[task][metric] for v in last) / len(last) for metric in metrics}
        for task, metrics in last[-1].metrics.items()
    }
