"""Weightings for the tasks of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from taskweave.experiments.choices.detection import DetectionTask
from taskweave.experiments.choices.task import DepthTask, NormalsTask, OneTask
from taskweave.parts import Part
from taskweave.weighting import Weighting


class _Task(NamedTuple):
    """What weightings ask of a task."""

    regression: bool


def build_weighting(weighting: Part[Weighting], tasks: Mapping[str, OneTask]) -> Weighting:
    """A fresh one for the tasks that a network is trained for. Raises ImportError for aggregation without its extra."""
    return weighting({name: _Task(_regresses(task)) for name, task in tasks.items()})


def _regresses(task: OneTask) -> bool:
    return isinstance(task, DepthTask | DetectionTask) or (isinstance(task, NormalsTask) and task.loss != "codebook")
