"""From a batch to losses, and one optimiser step."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from taskweave.data.sample import Batch
from taskweave.tasks.task import Task
from taskweave.training.nonfinite import NonFiniteLossError
from taskweave.training.schedule import factor, set_rates
from taskweave.training.state import Training


def rows_of(output: Any, rows: Tensor | None) -> Any:
    """The given samples (axis 0; None: all) of a network's output, whatever tensors it is made of, in float32."""
    if isinstance(output, Tensor):
        chosen = output if rows is None else output[rows]
        return chosen.float() if chosen.is_floating_point() and chosen.element_size() < 4 else chosen
    if isinstance(output, Mapping):
        return {key: rows_of(value, rows) for key, value in output.items()}
    if isinstance(output, Sequence) and not isinstance(output, str):
        return [rows_of(value, rows) for value in output]
    return output


def labelled(tasks: Mapping[str, Task], batch: Batch) -> list[str]:
    """Those of `tasks` that have a label in the batch."""
    return [name for name in tasks if name in batch.targets]


def outputs_of(net: nn.Module, wanted: Sequence[str], batch: Batch) -> dict[str, Any]:
    """Outputs of the wanted tasks, each for the samples that are labelled for it."""
    outputs = net(batch.image, tasks=wanted)
    return {name: rows_of(outputs[name], None if batch.whole(name) else batch.rows[name]) for name in wanted}


def losses_of(net: nn.Module, tasks: Mapping[str, Task], batch: Batch) -> dict[str, Tensor]:
    """The loss of every task that has a label in the batch, over the labelled samples; nothing else is computed."""
    wanted = labelled(tasks, batch)
    outputs = outputs_of(net, wanted, batch) if wanted else {}
    return {name: tasks[name].loss(output, batch.targets[name]) for name, output in outputs.items()}


def train_step(run: Training, batches: Iterator[Batch]) -> None:
    """One optimiser step on `accumulate` batches. Raises NonFiniteLossError before the weights change."""
    options, begun = run.options, time.perf_counter()
    set_rates(run.optimizer, factor(options.schedule, run.step, steps=options.steps))
    run.freezing.enforce(run.step)
    for _ in range(options.accumulate):
        asked = time.perf_counter()
        batch = next(batches).to(run.fabric.device, channels_last=options.memory_format == "channels_last")
        run.waited += time.perf_counter() - asked
        losses = losses_of(run.forward, run.tasks, batch)
        if losses:
            run.fabric.backward(_total(run, losses) / options.accumulate)
    if options.clip is not None:
        norm = run.fabric.clip_gradients(run.forward, run.optimizer, max_norm=options.clip, error_if_nonfinite=False)
        _check(run, "the norm of the gradient", float(norm) if norm is not None else 0.0)
    run.optimizer.step()
    run.optimizer.zero_grad(set_to_none=True)  # a part that the next batch does not reach must not move
    if run.average is not None:
        run.average.update(run.net, run.step)
    run.step += 1
    run.seconds += time.perf_counter() - begun


def _total(run: Training, losses: Mapping[str, Tensor]) -> Tensor:
    for name, loss in losses.items():
        value = float(loss.detach())
        _check(run, f"the loss of task {name!r}", value)
        run.note_loss(name, value)
    total, penalty = run.weighting(losses), run.net.penalty()
    whole: Tensor = total if penalty is None else total + penalty
    _check(run, "the weighted loss with the units' penalty", float(whole.detach()))
    return whole


def _check(run: Training, what: str, value: float) -> None:
    if not math.isfinite(value):
        raise NonFiniteLossError(what, step=run.step, value=value, kept=run.kept())
