"""How steps and epochs go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from taskweave.data.mixture import Mixture
from taskweave.training.batches import Samples
from taskweave.training.options import TrainingOptions


@final
@dataclass(frozen=True)
class Pace:
    """done: what a step adds to an epoch, of `whole`.

    all_read: the step by which every sample was read; None where the training ends before.
    """

    done: int
    whole: int
    all_read: int | None

    @property
    def steps(self) -> int:
        """Steps of an epoch, the last of which may reach into the next."""
        return -(-self.whole // self.done)

    def epochs(self, step: int) -> float:
        return step * self.done / self.whole

    def ends_epoch(self, step: int) -> bool:
        """Whether the step that made it `step` steps read the last sample of an epoch (or of several)."""
        return step * self.done // self.whole > (step - 1) * self.done // self.whole


def pace_of(train: Samples, options: TrainingOptions, *, seed: int) -> Pace:
    """An epoch of a mixture is as many samples as its data sets have together, whichever they are."""
    if isinstance(train, Mixture):
        reach = train.reach(options.batch_size, seed=seed, batches=options.steps * options.accumulate)
        read = None if reach.covered is None else -(-reach.covered // options.accumulate)
        return Pace(options.accumulate, reach.epoch, read)
    per_step = options.batch_size * options.accumulate
    return Pace(per_step, len(train), -(-len(train) // per_step))
