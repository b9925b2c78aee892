"""What a comparison will take, before it takes it: time and disk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from taskweave.experiments.bench import Bench
from taskweave.experiments.costs import Cost, regions_of, training_inputs
from taskweave.experiments.plan import Run
from taskweave.experiments.running import find_record, folder_of
from taskweave.progress import Progress, Silent
from taskweave.results.run_files import read_record
from taskweave.training.fabric import make_fabric
from taskweave.training.randomness import seeded
from taskweave.training.speed import settle

_BYTES = 4
_TIMED = 2e11
"""Forward operations of the step that is timed, at most: a full-size batch would fill a small machine's memory."""
_OVERHEAD = 1.15
"""Reading data, saving and measuring, as a share of the time of the steps: about what the small recipes show."""


@final
@dataclass(frozen=True)
class RunEstimate:
    """One run that is not finished.

    seconds: of all its steps; bytes: what it leaves on the disk.  trained: whether it only has to be measured anew, which
    takes no training.
    """

    run: Run
    cost: Cost
    seconds: float
    bytes: int
    trained: bool = False


@final
@dataclass(frozen=True)
class Estimate:
    """What is left to do.

    done: how many runs are stored already.  speed: pictures x operations per second that the times rest on.
    """

    done: int
    missing: tuple[RunEstimate, ...]
    speed: float

    @property
    def seconds(self) -> float:
        return sum(item.seconds for item in self.missing)

    @property
    def bytes(self) -> int:
        """What stays, and beside it the largest checkpoint (weights and optimiser) while its run is under way."""
        largest = max((item.bytes for item in self.missing), default=0)
        return sum(item.bytes for item in self.missing) + 3 * largest


def estimate(runs: Sequence[Run], bench: Bench, *, folder: Path, progress: Progress | None = None) -> Estimate:
    """Time and disk of the runs that are not finished, from operations and this machine's measured speed.

    The speed is that of runs stored in `folder`, or of one training step of the first network. Raises ValueError for a
    network that cannot be built (a stage that does not exist, with the list of stages).
    """
    progress = progress or Silent()
    missing = [run for run in runs if find_record(run, folder) is None]
    costs = {run.digest: bench.cost(run) for run in runs}
    known = {run.digest for run in missing if read_record(folder_of(run, folder)) is not None}
    trained = [run for run in missing if run.steps and run.digest not in known]
    speed = _stored_speed(runs, costs, bench, folder=folder)
    if speed is None and trained:
        progress.note("timing a training step on this machine")
        speed = _measured_speed(min(trained, key=lambda run: costs[run.digest].flops), bench)
    found = tuple(
        RunEstimate(run, costs[run.digest], 0.0, 0, trained=True)
        if run.digest in known
        else _estimate(run, costs[run.digest], bench, speed=speed or 1.0)
        for run in missing
    )
    return Estimate(len(runs) - len(missing), found, speed or 0.0)


def _estimate(run: Run, cost: Cost, bench: Bench, *, speed: float) -> RunEstimate:
    seconds = _OVERHEAD * run.steps * pictures_of(run) * flops_of_training(run, cost, bench) / speed
    stored = cost.parameters * _BYTES if run.steps else 0
    return RunEstimate(run, cost, seconds, stored)


def pictures_of(run: Run) -> int:
    """Of one training step; 0 for what is not trained."""
    return 0 if run.options is None else run.options.batch_size * run.options.accumulate


def flops_of_training(run: Run, cost: Cost, bench: Bench) -> float:
    """Operations of one training picture, forward: a test picture's, by area; counted where it has fewer regions.

    cost: the run's, see `Bench.cost`. A step takes about three times as many: backward is for inputs and for weights.
    """
    recipe = bench.for_run(run).recipe
    if regions_of(recipe):
        return float(bench.cost(run, training=True).flops)
    (h, w), (test_h, test_w) = recipe.data.training_size, recipe.data.picture_size
    return cost.flops * (h * w) / (test_h * test_w)


def _stored_speed(runs: Sequence[Run], costs: dict[str, Cost], bench: Bench, *, folder: Path) -> float | None:
    """Forward operations per second of training, over all stored runs."""
    work, seconds = 0.0, 0.0
    for run in runs:
        record = find_record(run, folder)
        if record is not None and record.seconds > 0:
            work += run.steps * pictures_of(run) * flops_of_training(run, costs[run.digest], bench)
            seconds += record.seconds
    return work / seconds if seconds else None


def _measured_speed(run: Run, bench: Bench) -> float:
    """One step of a network on as many random pictures of a batch as take a second or two; the second of two counts."""
    here = bench.for_run(run)
    pictures = max(1, min(pictures_of(run), int(_TIMED // flops_of_training(run, bench.cost(run), bench))))
    options = settle(run.options) if run.options is not None else None
    with seeded(0):
        net = bench.build(run, shapes_only=True).train()
        x = torch.rand(pictures, 3, *here.recipe.data.training_size)
    fabric = make_fabric(options) if options is not None else None
    device = fabric.device if fabric is not None else torch.device("cpu")
    net.to(device)
    x = x.to(device).to(memory_format=torch.channels_last)
    seconds = 0.0
    for _ in range(2):
        start = time.perf_counter()
        net.zero_grad()
        with nullcontext() if fabric is None else fabric.autocast():
            outputs = net(training_inputs(run, here.recipe, here.shapes_only, x))
        _backward(outputs)
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds = time.perf_counter() - start
    return pictures * flops_of_training(run, bench.cost(run), bench) / seconds


def _backward(outputs: dict[str, Any]) -> None:
    tensors = [value for value in tree_leaves(outputs) if isinstance(value, Tensor) and value.requires_grad]
    torch.autograd.backward([value.float().square().mean() for value in tensors])
