"""From a batch to what a network is given, and from its outputs to what a task is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from taskweave.data.sample import Batch
from taskweave.tasks.task import Task


def labelled(tasks: Mapping[str, Task], batch: Batch) -> list[str]:
    """Those of `tasks` that have a label in the batch."""
    return [name for name in tasks if name in batch.targets]


def inputs_of(batch: Batch, tasks: Mapping[str, Task], *, training: bool) -> Any:
    """The images, or {stream: its input} where a task's network reads more than the images.

    tasks: of every stream that runs, also those without a label in the batch: links carry their features to the others.
    """
    inputs = {
        name: task.network_input(batch.image, batch.targets.get(name) if training else None, batch.rois)
        for name, task in tasks.items()
    }
    return batch.image if all(value is batch.image for value in inputs.values()) else inputs


def outputs_of(
    net: nn.Module, wanted: Sequence[str], batch: Batch, tasks: Mapping[str, Task], *, training: bool = False
) -> dict[str, Any]:
    """Outputs of the wanted tasks in float32, each for the samples that are labelled for it."""
    outputs = net(inputs_of(batch, tasks, training=training), tasks=wanted)
    chosen = {
        name: outputs[name] if batch.whole(name) else tasks[name].select(outputs[name], batch.rows[name]) for name in wanted
    }
    return {name: _in_float32(output) for name, output in chosen.items()}


def _in_float32(output: Any) -> Any:
    """An output with its half precision tensors in float32, whatever tuples, lists and mappings it is made of."""
    if isinstance(output, Tensor):
        return output.float() if output.is_floating_point() and output.element_size() < 4 else output
    if isinstance(output, Mapping):
        return {key: _in_float32(value) for key, value in output.items()}
    if isinstance(output, tuple) and type(output) is not tuple:  # a named one keeps its type
        return type(output)(*(_in_float32(value) for value in output))
    if isinstance(output, list | tuple):
        return type(output)(_in_float32(value) for value in output)
    return output
