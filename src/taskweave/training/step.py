"""From a batch to losses, and one optimiser step."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from taskweave.data.sample import Batch
from taskweave.training.gradients import step_gradients
from taskweave.training.groups import set_rates
from taskweave.training.inputs import labelled, outputs_of
from taskweave.training.state import Training


def losses_of(run: Training, batch: Batch) -> dict[str, Tensor]:
    """The loss of every task that has a label in the batch, over the labelled samples; nothing else is computed.

    A task whose targets are there but hold no label (no pixel of them is valid) has no loss, either. Streams of other tasks
    run as far as their features travel to these; see `Connected.plan`.
    """
    wanted = labelled(run.tasks, batch)
    outputs = outputs_of(run.forward, wanted, batch, run.given, training=True) if wanted else {}
    losses = {name: run.tasks[name].loss(output, batch.targets[name]) for name, output in outputs.items()}
    if run.ranks.alone:
        return {name: loss for name, loss in losses.items() if not _is_of_nothing(run, name, loss, outputs, batch)}
    counts = {name: run.tasks[name].label_count(output, batch.targets[name]) for name, output in outputs.items()}
    adding = [name for name, task in run.tasks.items() if task.adds_up]
    return run.ranks.joined(losses, counts, list(run.tasks), adding=adding)


def _is_of_nothing(run: Training, name: str, loss: Tensor, outputs: Mapping[str, Any], batch: Batch) -> bool:
    """Such a loss is 0 by contract, so that only those need to be counted."""
    return float(loss.detach()) == 0.0 and float(run.tasks[name].label_count(outputs[name], batch.targets[name])) == 0.0


def train_step(run: Training, batches: Iterator[Batch]) -> None:
    """One optimiser step on `accumulate` batches. Raises NonFiniteLossError before the weights change."""
    options, begun = run.options, time.perf_counter()
    set_rates(run.optimizer, run.schedule(run.step))
    run.freezing.enforce(run.step)
    found: dict[str, list[float]] = {}
    gradients = step_gradients(run, parts=options.accumulate)
    run.watch.begin(run.step + 1)
    for _ in range(options.accumulate):
        asked = time.perf_counter()
        batch = next(batches).to(run.fabric.device, channels_last=options.memory_format == "channels_last")
        run.waited += time.perf_counter() - asked
        with run.norms_for(batch), run.watch.watching():
            losses = losses_of(run, batch)
        _note(run, losses, found)
        run.watch.look(losses, batch, run.fabric.backward)
        if losses:
            gradients.add(losses)
    gradients.finish()
    if set(found) != set(run.tasks):
        _leave_unreached(run.parameters())
    if options.clip is not None:
        norm = run.fabric.clip_gradients(run.forward, run.optimizer, max_norm=options.clip, error_if_nonfinite=False)
        run.check_finite("the norm of the gradient", float(norm) if norm is not None else 0.0)
    run.optimizer.step()
    run.optimizer.zero_grad(set_to_none=True)  # a part that the next batch does not reach must not move
    run.weighting.observe({name: sum(values) / len(values) for name, values in found.items()})
    if run.average is not None:
        run.average.update(run.net, run.step)
    run.step += 1
    run.seconds += time.perf_counter() - begun - run.watch.spent


def _note(run: Training, losses: Mapping[str, Tensor], found: dict[str, list[float]]) -> None:
    """Add a batch's values to those of the step and of the log."""
    for name, loss in losses.items():
        value = float(loss.detach())
        run.check_finite(f"the loss of task {name!r}", value)
        run.note_loss(name, value)
        found.setdefault(name, []).append(value)


def _leave_unreached(parameters: Sequence[nn.Parameter]) -> None:
    """What an absent task's weights get through a link of weight 0 is a gradient of exactly 0, which is none.

    Momentum and decay would move them nonetheless, and streams that exchange nothing would not be the networks alone.
    """
    reached = [(p, p.grad.any()) for p in parameters if p.grad is not None]
    moving = torch.stack([moves for _, moves in reached]).tolist() if reached else []
    for (parameter, _), moves in zip(reached, moving, strict=True):
        if not moves:
            parameter.grad = None
