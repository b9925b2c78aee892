"""A trained network on test parts: every column that its run has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from torch import Tensor, nn
from torchmetrics import Metric

from taskweave.data.mixture import Mixture
from taskweave.data.mixture_order import RoundRobin
from taskweave.experiments.bench import Bench
from taskweave.experiments.columns import Column
from taskweave.experiments.plan import Run
from taskweave.experiments.prepare import Look, for_testing
from taskweave.metrics.per_image import PerImage
from taskweave.progress import Progress
from taskweave.results.image_statistics import keep_images
from taskweave.results.run_files import keep_classes, keep_curves
from taskweave.tasks.task import Task, mean_soft
from taskweave.training.checkpoint import STATISTICS
from taskweave.training.fabric import make_fabric
from taskweave.training.norms import SetStatistics, read_statistics
from taskweave.training.speed import settle
from taskweave.training.validation import collect, values_of
from taskweave.weaving.connected import Connected

if TYPE_CHECKING:
    from taskweave.training.batches import Samples


@final
class Averaged(Task):
    """`task` for an `Ensemble`, whose output is a list: its soft prediction is the mean of the members'."""

    directions = {}  # noqa: RUF012 - an ensemble's columns are its task's, see `task`

    def __init__(self, task: Task) -> None:
        self.task = task

    @property
    def channels(self) -> int:
        return self.task.channels

    def network_input(self, image: Tensor, target: Any | None, rois: Sequence[Tensor] | None) -> Any:
        return self.task.network_input(image, target, rois)

    def select(self, output: Sequence[Any], rows: Tensor) -> list[Any]:
        return [self.task.select(member, rows) for member in output]

    def loss(self, output: Sequence[Any], target: Any) -> Tensor:
        losses = [self.task.loss(member, target) for member in output]
        return sum(losses[1:], losses[0]) / len(losses)

    def soft(self, output: Sequence[Any], size: tuple[int, int]) -> Any:
        return mean_soft(self.task, output, size)

    def harden(self, soft: Any) -> Any:
        return self.task.harden(soft)

    def metric(self) -> Metric:
        return self.task.metric()

    def picture(self, value: Tensor) -> Tensor:
        return self.task.picture(value)

    def over(self, image: Tensor, value: Any) -> Tensor:
        return self.task.over(image, value)


Metrics = dict[str, dict[str, float]]


def measure(
    run: Run, net: nn.Module, bench: Bench, columns: Sequence[Column], *, folder: Path, progress: Progress | None
) -> Metrics:
    """{column: {metric: value}}: the one reading of each test part.

    folder: the run's own, which holds the statistics per data set where batch norms have such. It is given what is behind
    the numbers: detectors' curves, the classes' numbers and, last of all, what each image contributed. A test on data that
    were trained on has the statistics of these data; a further test has those of all data together.
    """
    from taskweave.metrics.metric import PerImageMetric

    options = run.options or next((parent.options for parent in run.parents), None) or run.recipe.training.single
    assert options is not None
    fabric = make_fabric(settle(options))
    net.to(fabric.device)
    statistics = _statistics(net, folder)
    found, images = Metrics(), dict[str, PerImage]()
    for group in _read_together(columns, bench.tasks):
        first, tasks = group[0], {column.task: task_of(run, bench, column.task) for column in group}
        measured = collect(
            net,
            tasks,
            view_of(first, bench, named=statistics is not None and not first.further),
            batch_size=bench.recipe.evaluation.batch_size,
            fabric=fabric,
            progress=progress,
            others={name: bench.tasks[name] for name in run.tasks if name not in tasks},
            statistics=statistics,
        )
        of_columns = {column.name: measured[column.task] for column in group}
        found |= {name: values_of(metric) for name, metric in of_columns.items()}
        images |= {name: metric.per_image() for name, metric in of_columns.items() if isinstance(metric, PerImageMetric)}
        keep_curves(of_columns, folder)
        keep_classes(of_columns, {column.name: bench.tasks[column.task].classes for column in group}, folder)
    keep_images(images, {column.name: _keys(bench, column) for column in columns}, folder)
    return {column.name: found[column.name] for column in columns}


def _keys(bench: Bench, column: Column) -> list[str]:
    part = bench.test(column)
    return [part.key(index) for index in range(len(part))]


def task_of(run: Run, bench: Bench, task: str) -> Task:
    """The task as the outputs of a run's network are read: those of an ensemble are lists."""
    return Averaged(bench.tasks[task]) if run.method.averages else bench.tasks[task]


def view_of(column: Column, bench: Bench, *, named: bool = False) -> Samples:
    """A column's test part as networks see it. named: whether samples say which data set they are from."""
    view = for_testing(bench.test(column), bench.source(column), look_of(bench.tasks[column.task]))
    return Mixture({column.data: view}, RoundRobin()) if named else view


def look_of(task: Task) -> Look:
    """Which regions a task is measured on, where its network looks at regions."""
    return "true boxes" if task.needs_true_boxes else "proposals"


def _read_together(columns: Sequence[Column], tasks: Mapping[str, Task]) -> Iterator[list[Column]]:
    """Columns on one part that look at the same regions: one pass of the network serves all of them."""
    groups: dict[tuple[str, bool, str, Look], list[Column]] = {}
    for column in columns:
        key = (column.data, column.further, column.part, look_of(tasks[column.task]))
        groups.setdefault(key, []).append(column)
    yield from groups.values()


def _statistics(net: nn.Module, folder: Path) -> SetStatistics | None:
    path = folder / STATISTICS
    return read_statistics(net, path) if isinstance(net, Connected) and path.is_file() else None
