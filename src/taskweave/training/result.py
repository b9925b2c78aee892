"""What a training gives back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, final

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
