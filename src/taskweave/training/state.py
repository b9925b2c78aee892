"""Everything that changes while a network trains, stored and restored together."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, final

import torch
from lightning.fabric import Fabric
from torch import nn

from taskweave.networks.connected import Connected
from taskweave.tasks.task import Task
from taskweave.training.averaging import Average
from taskweave.training.checkpoint import check_known_by, check_state, load_checkpoint, save_checkpoint
from taskweave.training.freezing import Freezing
from taskweave.training.groups import groups_of, make_optimizer
from taskweave.training.nonfinite import NonFiniteLossError
from taskweave.training.options import TrainingOptions
from taskweave.training.randomness import random_state, restore_random_state
from taskweave.training.result import Validation
from taskweave.training.speed import prepare
from taskweave.weighting.weighting import Weighting


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
    ) -> None:
        prepare(net, options)
        net.train()
        self.net, self.tasks, self.options, self.fabric = net, dict(tasks), options, fabric
        self.folder, self.known_by = folder, dict(known_by)
        self.weighting = weighting.to(fabric.device)
        self.groups = groups_of(net, options, weighting=weighting)
        self.freezing = Freezing(net, options.freeze)
        self.forward, self.optimizer = self._set_up(fabric)
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
        forward, optimizer = fabric.setup(self.net, make_optimizer(self.groups, self.options))
        return forward, optimizer

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

    def averaged(self) -> AbstractContextManager[None]:
        """Inside, the network has the weights that are validated and kept."""
        return nullcontext() if self.average is None else self.average.inside(self.net)

    def kept(self) -> str:
        """One sentence on what can be resumed from."""
        if self.saved is None:
            return f"No checkpoint was saved yet in {self.folder}."
        return f"The last good checkpoint, of step {self.saved}, is kept in {self.checkpoint}."

    def save(self) -> None:
        """Store the whole state, atomically. Raises CannotSaveError, the earlier checkpoint whole."""
        self.check_weights()
        save_checkpoint(
            self.checkpoint,
            {
                "known_by": self.known_by,
                "net": self.net.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "weighting": self.weighting.state_dict(),
                "average": {} if self.average is None else self.average.state_dict(),
                "random": random_state(),
                "position": {"step": self.step, "seconds": self.seconds, "waited": self.waited},
                "history": [_plain(validation) for validation in self.history],
                "best": None if self.best is None else _plain(self.best),
                "losses": self.losses,
                "seen": sorted(self.seen),
            },
        )
        self.saved, self.saved_at = self.step, time.monotonic()
        self._forget_all_but(self.best)

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
        for path in self.folder.glob("best-*.safetensors"):
            if best is None or path != self.best_weights:
                path.unlink()

    def forget(self) -> None:
        """Delete what a finished training does not need."""
        self.checkpoint.unlink(missing_ok=True)
        self._forget_all_but(None)

    def resume(self) -> bool:
        """Go on from the folder's checkpoint, if there is one; last of all set-up, since it restores the random state.

        Raises WrongCheckpointError for one of another network or another training.
        """
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
        position = stored["position"]
        self.step, self.seconds, self.waited = position["step"], position["seconds"], position["waited"]
        self.history = [Validation(**validation) for validation in stored["history"]]
        self.best = None if stored["best"] is None else Validation(**stored["best"])
        self.losses, self.seen, self.saved = stored["losses"], set(stored["seen"]), self.step
        restore_random_state(stored["random"])
        return True


def _plain(validation: Validation) -> dict[str, Any]:
    return {"step": validation.step, "metrics": validation.metrics}
