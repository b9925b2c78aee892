"""What finished networks say of test pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from taskweave.data.sample import collate
from taskweave.experiments.bench import Bench
from taskweave.experiments.columns import Column
from taskweave.experiments.measuring import task_of, view_of
from taskweave.experiments.plan import Entry, Run
from taskweave.experiments.running import find_record, load_network
from taskweave.training.batches import outputs_of


def finished(rows: Sequence[Entry], root: Path, *, seed: int) -> list[Entry]:
    """The rows of a seed whose runs are all stored in `root`."""
    return [e for e in rows if e.seed == seed and all(find_record(run, root) is not None for run in e.runs)]


def network_behind(run: Run, bench: Bench, root: Path) -> nn.Module:
    """A finished run's network with its weights, in eval mode; an ensemble's members together."""
    return load_network(run, bench, root)


def drawn_truth(column: Column, bench: Bench, index: int) -> tuple[Tensor, Tensor]:
    """A test picture and its target, RGB uint8 (3, H, W); black where it has none."""
    sample, task = bench.test(column)[index], bench.tasks[column.task]
    image = as_picture(torch.as_tensor(sample["image"]).as_subclass(Tensor))
    target = sample.get(column.task)
    return image, torch.zeros_like(image) if target is None else task.over(image, target)


def drawn_prediction(net: nn.Module, run: Run, column: Column, *, bench: Bench, index: int) -> Tensor:
    """What a run's network says of a test picture, drawn."""
    image = as_picture(torch.as_tensor(bench.test(column)[index]["image"]).as_subclass(Tensor))
    return bench.tasks[column.task].over(image, predicted_value(net, run, column, bench=bench, index=index))


def predicted_value(net: nn.Module, run: Run, column: Column, *, bench: Bench, index: int) -> Any:
    """What a run's network says of a test picture, decoded."""
    sample = view_of(column, bench)[index, 0]
    batch, task = collate([sample]), task_of(run, bench, column.task)
    given = {name: bench.tasks[name] for name in run.tasks} | {column.task: task}
    if column.task not in batch.targets:  # the network is asked for it all the same
        batch.targets[column.task], batch.rows[column.task] = [None], torch.tensor([0])
    output = outputs_of(net, [column.task], batch, given)[column.task]
    size = (int(batch.image.shape[-2]), int(batch.image.shape[-1]))
    return task.decode(output, size)[0]


def as_picture(image: Tensor) -> Tensor:
    """RGB uint8, from that or from float in [0, 1]."""
    return (image * 255).round().clamp(0, 255).to(torch.uint8) if image.is_floating_point() else image
