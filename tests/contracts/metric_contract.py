"""What the metrics of every task promise, whatever its targets are: parts of the three contracts of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from torchmetrics import Metric

from taskweave.tasks import Task

Batch = tuple[Any, Any]
"""An output and its targets."""


def scores(task: Task, size: tuple[int, int], *batches: Batch) -> dict[str, float]:
    """The metrics of batches whose predictions are of that size."""
    metric = task.metric()
    for output, target in batches:
        metric.update(task.decode(output, size), target)
    return {name: float(value) for name, value in metric.compute().items()}


def measured(shards: Sequence[Metric], prediction: Any, target: Any, sizes: Sequence[int]) -> dict[str, float]:
    """The metrics of batches of those sizes, given to the shards in turn, which are then merged into the first."""
    start = 0
    for i, size in enumerate(sizes):
        shards[i % len(shards)].update(prediction[start : start + size], target[start : start + size])
        start += size
    for shard in shards[1:]:
        shards[0].merge_state(shard)
    return {name: float(value) for name, value in shards[0].compute().items()}


def assert_names_every_metric(name: str, task: Task, size: tuple[int, int], batch: Batch) -> None:
    got = scores(task, size, batch)
    assert list(got) == list(task.directions), f"{name}: metrics {list(got)}, directions {list(task.directions)}"
    assert set(task.directions.values()) <= {"higher", "lower"}


def assert_better(name: str, task: Task, best: dict[str, float], random: dict[str, float]) -> None:
    """The metrics of the right output are better than those of a random one."""
    for metric, value in random.items():
        better = best[metric] > value if task.directions[metric] == "higher" else best[metric] < value
        assert better, f"{name}: {metric} is {best[metric]} for the right output, {value} for a random one"


def assert_batches_change_nothing(name: str, task: Task, prediction: Any, target: Any) -> None:
    """Of five samples."""
    whole = measured([task.metric()], prediction, target, [5])
    for sizes in ([1, 1, 1, 1, 1], [4, 1], [2, 3]):
        got = measured([task.metric()], prediction, target, sizes)
        assert got == pytest.approx(whole, rel=1e-12), f"{name}: batches of {sizes} change a metric"


def assert_shards_merge(name: str, task: Task, prediction: Any, target: Any) -> None:
    """Metric states of two processes, merged by each state's own reduction, give the metric of all five samples."""
    whole = measured([task.metric()], prediction, target, [5])
    merged = measured([task.metric(), task.metric()], prediction, target, [1, 1, 2, 1])
    assert merged == pytest.approx(whole, rel=1e-12), f"{name}: merged shards differ from the whole"
