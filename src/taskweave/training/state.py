"""Everything that changes while a network trains, stored and restored together."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, final

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn

from taskweave.data.sample import Batch
from taskweave.files import remove_parts
from taskweave.tasks.task import Task
from taskweave.training.checkpoint import check_known_by, load_checkpoint, save_checkpoint
from taskweave.training.checks import NonFiniteLossError
from taskweave.training.fabric import Autocast, Ranks
from taskweave.training.groups import Freezing, groups_of, make_optimizer
from taskweave.training.monitor.monitor import IDLE
from taskweave.training.monitor.watch import Watch
from taskweave.training.norms import SetStatistics, read_statistics, save_statistics
from taskweave.training.options import TrainingOptions
from taskweave.training.randomness import random_state, restore_random_state
from taskweave.training.speed import prepare
from taskweave.training.validation import Validation
from taskweave.training.weights import check_state, load_weights, save_weights
from taskweave.weaving.connected import Connected
from taskweave.weighting.weighting import Weighting


@final
class Average:
    """average <- d * average + (1 - d) * weights after every step, d = min(decay, (1 + s) / (10 + s)) at step s.

    Batch norms' statistics are averaged the same way; what is no float is copied.
    """

    def __init__(self, net: nn.Module, decay: float) -> None:
        self.decay = decay
        self._average = {name: tensor.detach().clone() for name, tensor in _tensors(net).items()}

    @torch.no_grad()
    def update(self, net: nn.Module, step: int) -> None:
        """Take in the weights after step number `step` (from 0)."""
        share = 1.0 - min(self.decay, (1 + step) / (10 + step))
        for name, tensor in _tensors(net).items():
            if tensor.is_floating_point():
                self._average[name].lerp_(tensor, share)
            else:
                self._average[name].copy_(tensor)

    @contextmanager
    def inside(self, net: nn.Module) -> Iterator[None]:
        """The network has the averaged weights inside, its own after."""
        own = {name: tensor.detach().clone() for name, tensor in _tensors(net).items()}
        self.load_into(net)
        try:
            yield
        finally:
            _copy(own, net)

    def load_into(self, net: nn.Module) -> None:
        """Give the network the averaged weights for good."""
        _copy(self._average, net)

    def state_dict(self) -> dict[str, Tensor]:
        return dict(self._average)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        for name, tensor in self._average.items():
            tensor.copy_(state[name])


def _tensors(net: nn.Module) -> dict[str, Tensor]:
    return {**dict(net.named_parameters()), **dict(net.named_buffers())}


@torch.no_grad()
def _copy(tensors: Mapping[str, Tensor], net: nn.Module) -> None:
    for name, tensor in _tensors(net).items():
        tensor.copy_(tensors[name])


@final
class Training:
    """A training under way. `net` is trained in place; `forward` is the same network with Fabric's precision around it."""

    def __init__(
        self,
        net: Connected,
        tasks: Mapping[str, Task],
        options: TrainingOptions,
        *,
        weighting: Weighting,
        fabric: Fabric,
        folder: Path,
        known_by: Mapping[str, Any],
        given: Mapping[str, Task] | None = None,
        sets: Sequence[str] = (),
        watch: Watch | None = None,
    ) -> None:
        prepare(net, options)
        net.train()
        self.net, self.tasks, self.options, self.fabric = net, dict(tasks), options, fabric
        self.given = {**(given or {}), **tasks}
        self.ranks = Ranks(fabric)
        self.watch = Watch(IDLE, net, (), folder=folder) if watch is None else watch
        self.folder, self.known_by = folder, dict(known_by)
        self.weighting = weighting.to(fabric.device)
        self.groups = groups_of(net, options, weighting=weighting)
        self.freezing = Freezing(net, options.freeze, hold_norms=options.batch_norm == "frozen")
        self.forward, self.optimizer = self._set_up(fabric)
        self.schedule = options.schedule(options.steps)
        self.statistics = SetStatistics(net, sets) if options.batch_norm == "per_data_set" else None
        self.optimizer.zero_grad(set_to_none=True)
        self.average = None if options.ema is None else Average(net, options.ema)
        self.step, self.seconds, self.waited = 0, 0.0, 0.0
        self.saved: int | None = None
        self.saved_at = time.monotonic()
        self.history: list[Validation] = []
        self.best: Validation | None = None
        self.seen: set[str] = set()
        self.losses: dict[str, list[float]] = {}

    def _set_up(self, fabric: Fabric) -> tuple[nn.Module, torch.optim.Optimizer]:
        optimizer = make_optimizer(self.groups, self.options)
        if self.ranks.alone:
            forward, optimizer = fabric.setup(self.net, optimizer)
            return forward, optimizer
        self.net.to(fabric.device)
        self.ranks.start_equal(self.net)
        self.ranks.start_equal(self.weighting)
        return Autocast(self.net, fabric), optimizer

    def parameters(self) -> list[nn.Parameter]:
        """All that is trained, in the order of the groups."""
        return [parameter for group in self.groups for parameter in group.parameters]

    def norms_for(self, batch: Batch) -> AbstractContextManager[None]:
        """Inside, batch norms keep the statistics of the batch's data set, where each has its own."""
        return nullcontext() if self.statistics is None else self.statistics.of(batch.sources)

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def note_loss(self, task: str, value: float) -> None:
        """Keep an unweighted loss for the next row of the log."""
        self.seen.add(task)
        total, count = self.losses.get(task, (0.0, 0))
        self.losses[task] = [total + value, count + 1]

    def mean_losses(self) -> dict[str, float]:
        """Every task's mean loss since the last row of the log, by the order of the tasks."""
        return {task: self.losses[task][0] / self.losses[task][1] for task in self.tasks if task in self.losses}

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Inside, the network has the weights that are validated and kept."""
        with nullcontext() if self.average is None else self.average.inside(self.net):
            if self.statistics is not None:
                self.statistics.pool()
            yield

    def keep_best(self, found: Validation) -> None:
        """Note the best validation and store its weights; inside `averaged`."""
        self.best = found
        if self.ranks.leads:
            save_weights(self.net, self.best_weights)
            if self.statistics is not None:
                save_statistics(self.statistics, self.best_weights.with_suffix(".statistics"))

    def take_kept(self) -> None:
        """Give the network, for good, the weights that the training keeps."""
        self.ranks.of_leader(None)  # until the first process has written its files
        if self.best is not None:
            load_weights(self.net, self.best_weights)
        elif self.average is not None:
            self.average.load_into(self.net)
        if self.statistics is not None:
            if self.best is not None:
                self.statistics = read_statistics(self.net, self.best_weights.with_suffix(".statistics"))
            self.statistics.pool()

    def kept(self) -> str:
        """One sentence on what can be resumed from."""
        if self.saved is None:
            return f"No checkpoint was saved yet in {self.folder}."
        return f"The last good checkpoint, of step {self.saved}, is kept in {self.checkpoint}."

    @property
    def save_is_due(self) -> bool:
        options, waited = self.options, time.monotonic() - self.saved_at
        by_steps = options.checkpoint_every is not None and self.step % options.checkpoint_every == 0
        return by_steps or (options.checkpoint_seconds is not None and waited >= options.checkpoint_seconds)

    def save(self) -> None:
        """Save the whole state atomically; if that fails, the earlier checkpoint stays intact.

        Raises:
            CannotSaveError: The file cannot be written.
        """
        self.check_weights()
        random = self.ranks.of_each(random_state())
        if self.ranks.leads:
            save_checkpoint(self.checkpoint, self._state(random))
        self.saved, self.saved_at = self.step, time.monotonic()
        self._forget_all_but(self.best)

    def _state(self, random: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return {
            "known_by": self.known_by,
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "weighting": self.weighting.state_dict(),
            "average": {} if self.average is None else self.average.state_dict(),
            "statistics": {} if self.statistics is None else self.statistics.state_dict(),
            "random": random[0],
            "random_of_others": list(random[1:]),
            "position": {"step": self.step, "seconds": self.seconds, "waited": self.waited},
            "history": [_plain(validation) for validation in self.history],
            "best": None if self.best is None else _plain(self.best),
            "losses": self.losses,
            "seen": sorted(self.seen),
            "watch": self.watch.state_dict(),
        }

    def check_finite(self, what: str, value: float) -> None:
        """Check a value, named `what` in the message, e.g. "the loss of task 'depth'".

        Raises:
            NonFiniteLossError: The value is NaN or infinite.
        """
        if not math.isfinite(value):
            raise NonFiniteLossError(what, step=self.step, value=value, kept=self.kept())

    def check_weights(self) -> None:
        """Raise NonFiniteLossError where a weight is not finite: a checkpoint of it would be worth nothing."""
        for name, parameter in self.net.named_parameters():
            if not bool(torch.isfinite(parameter).all()):
                raise NonFiniteLossError(f"the weight {name}", step=self.step, value=math.nan, kept=self.kept())

    @property
    def best_weights(self) -> Path:
        """Where the weights of the best validation are; named by step, so that a checkpoint never finds later ones."""
        assert self.best is not None
        return self.folder / f"best-{self.best.step}.safetensors"

    def _forget_all_but(self, best: Validation | None) -> None:
        kept = [] if best is None else [self.best_weights, self.best_weights.with_suffix(".statistics")]
        for path in self.folder.glob("best-*.s*") if self.ranks.leads else ():
            if path not in kept:
                path.unlink()

    def forget(self) -> None:
        """Delete what a finished training does not need."""
        if self.ranks.leads:
            self.checkpoint.unlink(missing_ok=True)
        self._forget_all_but(None)

    def resume(self) -> bool:
        """Resume from the folder's checkpoint, if any. Call it last in set-up, since it restores the random state.

        Raises:
            WrongCheckpointError: The checkpoint belongs to another network or another training.
        """
        if self.ranks.leads:
            remove_parts(self.folder)
        if not self.checkpoint.is_file():
            return False
        stored, source = load_checkpoint(self.checkpoint), str(self.checkpoint)
        check_state(self.net.state_dict(), stored["net"], source=source, who="this one")
        check_known_by(stored["known_by"], self.known_by, source=source)
        self.net.load_state_dict(stored["net"])
        self.optimizer.load_state_dict(stored["optimizer"])
        self.weighting.load_state_dict(stored["weighting"])
        if self.average is not None:
            self.average.load_state_dict(stored["average"])
        if self.statistics is not None:
            self.statistics.load_state_dict(stored["statistics"])
        position = stored["position"]
        self.step, self.seconds, self.waited = position["step"], position["seconds"], position["waited"]
        self.history = [Validation(**validation) for validation in stored["history"]]
        self.best = None if stored["best"] is None else Validation(**stored["best"])
        self.losses, self.seen, self.saved = stored["losses"], set(stored["seen"]), self.step
        if "watch" in stored:  # not in checkpoints from before there was a monitor
            self.watch.load_state_dict(stored["watch"])
        random = [stored["random"], *stored.get("random_of_others", [])]
        if self.ranks.number < len(random):  # further processes than before keep the state that they began with
            restore_random_state(random[self.ranks.number])
        return True


def _plain(validation: Validation) -> dict[str, Any]:
    return {"step": validation.step, "metrics": validation.metrics}
