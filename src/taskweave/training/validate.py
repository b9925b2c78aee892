"""Metrics of a network over a data set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import nn

from taskweave.tasks.task import Task
from taskweave.training.order import Samples
from taskweave.training.progress import Progress
from taskweave.training.result import Metrics

if TYPE_CHECKING:
    from lightning.fabric import Fabric


def validate(
    net: nn.Module,
    tasks: Mapping[str, Task],
    dataset: Samples,
    *,
    batch_size: int,
    workers: int = 0,
    fabric: Fabric | None = None,
    progress: Progress | None = None,
) -> Metrics:
    """{task: {metric: value}} of `net` in eval mode over the whole `dataset`, at label resolution."""
    raise NotImplementedError
