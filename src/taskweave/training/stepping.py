"""One optimiser step: the losses of its batches, the gradient that they have together, the move."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, final

import torch
from torch import Tensor, nn

from taskweave.data.sample import Batch
from taskweave.training.batches import labelled, outputs_of
from taskweave.training.groups import set_rates
from taskweave.training.state import Training
from taskweave.weighting.weighting import GradientWeighting

_PENALTY = ""
"""The units' penalty among the gradients; no task is called so."""


@final
class OfSum:
    """The gradient of the weighted sum of the losses, with the units' penalty; `parts` batches make a step."""

    def __init__(self, run: Training, *, parts: int) -> None:
        self._run, self._parts = run, parts

    def add(self, losses: Mapping[str, Tensor]) -> None:
        """Add the gradient of a batch's losses.

        Raises:
            NonFiniteLossError: The weighted loss with the units' penalty is not finite.
        """
        run = self._run
        total, penalty = run.weighting(losses), run.net.penalty()
        whole: Tensor = total if penalty is None else total + penalty
        run.check_finite("the weighted loss with the units' penalty", float(whole.detach()))
        if run.ranks.alone or whole.requires_grad:  # all labels may be other processes'
            run.fabric.backward(whole / self._parts)

    def finish(self) -> None:
        """Leave the step's gradient with the parameters."""
        self._run.ranks.average_gradients(self._run.parameters())


@final
class OfTasks:
    """Every task's gradient of the whole step, then combined by a `GradientWeighting`; the units' penalty is added."""

    def __init__(self, run: Training, weighting: GradientWeighting, *, parts: int) -> None:
        self._run, self._weighting, self._parts = run, weighting, parts
        self._parameters = [parameter for parameter in run.parameters() if parameter.requires_grad]
        self._found: dict[str, list[Tensor | None]] = {}

    def add(self, losses: Mapping[str, Tensor]) -> None:
        """Take a batch's losses."""
        self._weighting.check_losses(losses)
        penalty = self._run.net.penalty()
        if penalty is not None and not penalty.requires_grad:
            penalty = None
        for name in (*losses, *([] if penalty is None else [_PENALTY])):
            self._found.setdefault(name, [None] * len(self._parameters))
        reached = {n: loss for n, loss in losses.items() if self._run.ranks.alone or loss.requires_grad}
        for left, (name, loss) in zip(reversed(range(len(reached))), reached.items(), strict=True):
            self._run.fabric.backward(loss / self._parts, retain_graph=left > 0)
            self._take(name)
        if penalty is not None:
            self._run.fabric.backward(penalty / self._parts)
            self._take(_PENALTY)

    def _take(self, name: str) -> None:
        """Move what a backward pass left with the parameters to the task's own."""
        own = self._found[name]
        for i, parameter in enumerate(self._parameters):
            gradient, before = parameter.grad, own[i]
            if gradient is not None:
                own[i] = gradient if before is None else before.add_(gradient)
            parameter.grad = None

    @torch.no_grad()
    def finish(self) -> None:
        """Store the step's gradient in the parameters.

        Raises:
            NonFiniteLossError: The norm of the aggregated gradient is not finite.
        """
        for name in self._found:
            self._average(name)
        penalty = self._found.pop(_PENALTY, None)
        for i, parameter in enumerate(self._parameters):
            own = [of[i] for of in self._found.values() if of[i] is not None]
            parameter.grad = own[0] if own else None
        self._combine()
        if penalty is not None:
            for parameter, gradient in zip(self._parameters, penalty, strict=True):
                if gradient is not None:
                    parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient

    def _average(self, name: str) -> None:
        for parameter, gradient in zip(self._parameters, self._found[name], strict=True):
            parameter.grad = gradient
        self._run.ranks.average_gradients(self._parameters)
        self._found[name] = [parameter.grad for parameter in self._parameters]

    def _combine(self) -> None:
        """Give the parameters that several tasks reach (or all that one does) the aggregated gradient."""
        least = 2 if self._weighting.over == "shared" else 1
        reached = [sum(of[i] is not None for of in self._found.values()) for i in range(len(self._parameters))]
        chosen = [i for i, count in enumerate(reached) if count >= least]
        if not chosen or len(self._found) < 2:
            return
        flat = {name: torch.cat([self._flat(of[i], i) for i in chosen]) for name, of in self._found.items()}
        moving = {name: gradient for name, gradient in flat.items() if gradient.any()}
        combined = self._weighting.aggregate(moving) if moving else torch.zeros_like(next(iter(flat.values())))
        combined = self._run.ranks.tensor_of_leader(combined)  # some aggregators draw at random
        self._run.check_finite("the norm of the aggregated gradient", float(combined.norm()))
        parts = torch.split(combined, [self._parameters[i].numel() for i in chosen])
        for i, part in zip(chosen, parts, strict=True):
            self._parameters[i].grad = part.view(self._parameters[i].shape).clone()

    def _flat(self, gradient: Tensor | None, place: int) -> Tensor:
        return torch.zeros_like(self._parameters[place]).flatten() if gradient is None else gradient.flatten()


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
    """Do one optimiser step on `accumulate` batches.

    Raises:
        NonFiniteLossError: A loss or a gradient is not finite; the weights are unchanged.
    """
    options, begun = run.options, time.perf_counter()
    set_rates(run.optimizer, run.schedule(run.step))
    run.freezing.enforce(run.step)
    found: dict[str, list[float]] = {}
    weighting, parts = run.weighting, options.accumulate
    gradients: OfSum | OfTasks = OfSum(run, parts=parts)
    if isinstance(weighting, GradientWeighting):
        gradients = OfTasks(run, weighting, parts=parts)
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
