"""Validation: exact metrics of a network over a whole data set, and which of them a training stands for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, final

import torch
from torch import Tensor, nn

from taskweave.progress import Progress, Silent
from taskweave.streams.stream import evaluating
from taskweave.tasks.task import Task
from taskweave.training.batches import Samples, batches_in_order, labelled, outputs_of
from taskweave.training.norms import SetStatistics
from taskweave.training.options import TrainingOptions
from taskweave.training.speed import is_channels_last

if TYPE_CHECKING:
    from lightning.fabric import Fabric
    from torchmetrics import Metric


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
    """How far a training came, and its results.

    Args:
        stopped: "finished", or why it stopped at a point it can be resumed from.
        step: Optimiser steps done, including those before a resume.
        metrics: The validation metrics that `TrainingOptions.choose` reports; None without validations or if not finished.
        history: Every validation, in order.
        seconds: Time spent in training steps over all resumes, without validation, saving and start-up.
        waited: The part of `seconds` spent waiting for data.
        weights: File of the kept weights (safetensors); None if not finished.
        statistics: File of each data set's batch norm statistics, if finished with batch_norm="per_data_set"; see
            `training.norms.read_statistics`.
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


def validate(
    net: nn.Module,
    tasks: Mapping[str, Task],
    dataset: Samples,
    *,
    batch_size: int,
    workers: int = 0,
    fabric: Fabric | None = None,
    progress: Progress | None = None,
    others: Mapping[str, Task] | None = None,
    statistics: SetStatistics | None = None,
) -> Metrics:
    """Measure a network: exact metrics over a whole data set, each task over the samples labelled for it.

    Arguments and errors are those of `collect`.

    Returns:
        {task: {metric: value}}.
    """
    measured = collect(
        net,
        tasks,
        dataset,
        batch_size=batch_size,
        workers=workers,
        fabric=fabric,
        progress=progress,
        others=others,
        statistics=statistics,
    )
    return {name: values_of(metric) for name, metric in measured.items()}


def collect(
    net: nn.Module,
    tasks: Mapping[str, Task],
    dataset: Samples,
    *,
    batch_size: int,
    workers: int = 0,
    fabric: Fabric | None = None,
    progress: Progress | None = None,
    others: Mapping[str, Task] | None = None,
    statistics: SetStatistics | None = None,
) -> dict[str, Metric]:
    """Run a network over a whole data set and return the metrics as objects, which also hold curves.

    Args:
        net: A `Connected`, or one that Fabric set up. In eval mode meanwhile; its modes are restored.
        tasks: The tasks to measure; only what their outputs need is computed. Predictions are compared at the labels' size.
        dataset: The samples to predict.
        batch_size: Samples predicted at once; no batch mixes data sets.
        workers: Processes that load data.
        fabric: Device and precision. Default: the network's device, and float32.
        progress: Told how far validation has come.
        others: Tasks of further streams that are not measured, if their inputs are more than the images (regions).
        statistics: Batch-norm statistics per data set, for samples of a `Mixture`. Default: the network's own.

    Returns:
        {task: its metric, which has seen every sample}.

    Raises:
        ValueError: The data set is empty, or has no sample labelled for a task.
    """
    progress = Silent() if progress is None else progress
    device = fabric.device if fabric is not None else next(net.parameters(), torch.empty(0)).device
    metrics = {name: _metric(task).to(device) for name, task in tasks.items()}
    given = {**(others or {}), **tasks}
    unseen, channels_last = set(tasks), is_channels_last(net)
    progress.begin("validating", -(-len(dataset) // batch_size))
    with evaluating(net), torch.no_grad():
        for batch in batches_in_order(dataset, batch_size=batch_size, workers=workers):
            batch = batch.to(device, channels_last=channels_last)
            wanted = labelled(tasks, batch)
            own = nullcontext() if statistics is None else statistics.of(batch.sources)
            with own, nullcontext() if fabric is None else fabric.autocast():
                outputs = outputs_of(net, wanted, batch, given) if wanted else {}
            for name, output in outputs.items():
                target = batch.targets[name]
                metrics[name].update(tasks[name].decode(output, _size(target, batch.image)), target)
            unseen -= set(wanted)
            progress.advance(1)
    progress.end()
    if unseen:
        raise ValueError(
            f"no sample to validate on is labelled for {sorted(unseen)}; check the data set, or leave the task out"
        )
    return metrics


def values_of(metric: Metric) -> dict[str, float]:
    """{name: value} of a metric that has seen all it is to see."""
    return {name: float(value) for name, value in metric.compute().items()}


def _metric(task: Task) -> Metric:
    from torchmetrics import Metric

    metric = task.metric()
    for part in metric.modules():
        if isinstance(part, Metric):
            part.distributed_available_fn = _alone  # one process measures the whole set; the others do not wait for it
    return metric


def _alone() -> bool:
    """That no other process takes part (torchmetrics reads `sync_on_compute` only when a metric is made)."""
    return False


def _size(target: Any, image: Tensor) -> tuple[int, int]:
    """Height and width of a dense target's labels; the image's for a target without."""
    like = target if isinstance(target, Tensor) and target.ndim >= 3 else image
    return int(like.shape[-2]), int(like.shape[-1])
