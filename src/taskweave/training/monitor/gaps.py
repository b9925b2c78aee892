"""A task's loss beside that of a training of the task alone, at the same steps."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import Literal, final

from taskweave.training.monitor.alarm import Alarm, Limits


@final
@dataclass(frozen=True)
class Reference:
    """A training to compare with.

    of: its title.
    steps, losses: the rows of its log: the unweighted loss since the row before. Steps are counted as those of the training
        that is watched, so that both have seen equally many pictures: not whole where the two trainings' batches differ.
    held: after its last step its level stays the mark, the geometric mean of its last `window` rows; else there is no gap.
    """

    of: str
    steps: tuple[float, ...]
    losses: tuple[float, ...]
    held: bool = False

    def __post_init__(self) -> None:
        if not self.steps or len(self.steps) != len(self.losses):
            raise ValueError(
                f"the curve of {self.of!r} needs a loss for each step and at least one, got {len(self.steps)} steps and "
                f"{len(self.losses)} losses"
            )

    def level(self, after: int, until: int, *, window: int) -> float | None:
        """log of the loss in the stretch after < step <= until, the mean of the logs of its rows.

        None where no row is there, or a loss is not positive.
        """
        rows = [loss for step, loss in zip(self.steps, self.losses, strict=True) if after < step <= until]
        if not rows and self.held and self.steps[-1] <= after:
            rows = list(self.losses[-window:])
        return statistics.fmean(map(math.log, rows)) if rows and min(rows) > 0 else None


@final
class Gap:
    """How far a task's loss is from its reference, smoothed, and whether it has been too far above for long."""

    def __init__(self, reference: Reference, limits: Limits) -> None:
        self.reference = reference
        self.alarm = Alarm(limits)

    @property
    def value(self) -> float:
        """exp(mean log(loss / reference)) - 1 over the window: 0.1 is a loss 10 % higher, + is worse."""
        return math.expm1(self.alarm.mean)

    def add(self, after: int, until: int, loss: float) -> tuple[bool, Literal["begins", "ends"] | None]:
        """Take the mean loss over the steps after < step <= until; say whether it could be compared, and of the alarm."""
        level = self.reference.level(after, until, window=self.alarm.limits.window)
        if level is None or loss <= 0:
            return False, None
        return True, self.alarm.add(until, math.log(loss) - level)
