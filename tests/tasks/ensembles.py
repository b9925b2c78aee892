"""What an ensemble predicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taskweave.tasks import Task, mean_soft


def mean_prediction(task: Task, outputs: Sequence[Any], size: tuple[int, int]) -> Any:
    """From the outputs of its members: their mean soft prediction, hardened."""
    return task.harden(mean_soft(task, outputs, size))
