"""The training loop."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from taskweave.networks.connected import Connected
from taskweave.tasks.task import Task
from taskweave.training.options import TrainingOptions
from taskweave.training.order import Samples
from taskweave.training.progress import Progress
from taskweave.training.result import FitResult
from taskweave.training.stopping import StopSignal
from taskweave.weighting.weighting import Weighting

if TYPE_CHECKING:
    from lightning.fabric import Fabric


def fit(
    net: Connected,
    tasks: Mapping[str, Task],
    train: Samples,
    options: TrainingOptions,
    *,
    folder: Path,
    seed: int,
    weighting: Weighting | None = None,
    trained: Collection[str] | None = None,
    validation: Samples | None = None,
    stop: StopSignal | None = None,
    progress: Progress | None = None,
    fabric: Fabric | None = None,
) -> FitResult:
    """Train `net` in place; resume from `folder` if a checkpoint is there, return at once if a finished run is there."""
    raise NotImplementedError
