"""What the monitor of negative transfer compares with, how often it looks, and when it warns."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, final


@final
@dataclass(frozen=True)
class Limits:
    """When an alarm begins and ends.

    It begins when the mean of the last `window` values has been above `threshold` for `rows` values in a row, and the
    values since the first of those windows began have t = mean / (s / sqrt(n)) above `sure`, where s is their standard
    deviation. It ends when the mean of a window is at half the threshold or below.

    benchmarks/results/transfer_monitor.md has the rates of false alarms on simulated series.

    Raises:
        ValueError: `threshold` is not positive, `window` is under 2, `rows` is under 1, or `sure` is negative.
    """

    threshold: float
    window: int
    rows: int
    sure: float

    def __post_init__(self) -> None:
        if self.threshold <= 0 or self.window < 2 or self.rows < 1 or self.sure < 0:
            raise ValueError(f"limits need threshold > 0, window >= 2, rows >= 1 and sure >= 0, got {self}")

    @property
    def least(self) -> int:
        """Values before which no alarm can begin."""
        return self.window + self.rows - 1


@final
class Alarm:
    """A series of values, above 0 where something is wrong, and whether it is above its limit."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.recent: list[float] = []
        self.above: list[float] = []  # the values of the stretch that is above, its first window included
        self.rows = 0
        self.since: int | None = None
        self.on = False

    @property
    def mean(self) -> float:
        """The mean of the last `window` values, or of all if there are fewer.

        Raises:
            ValueError: There is no value yet.
        """
        return statistics.fmean(self.recent)

    def add(self, step: int, value: float) -> Literal["begins", "ends"] | None:
        """Take the next value, seen after `step` steps; say whether the alarm begins or ends with it."""
        limits = self.limits
        self.recent = [*self.recent, value][-limits.window :]
        if len(self.recent) < limits.window:
            return None
        if self.since is not None:
            self.above.append(value)
        if self.mean > limits.threshold:
            if self.since is None:
                self.since, self.above = step, list(self.recent)
            self.rows += 1
            if not self.on and self.rows >= limits.rows and _t(self.above) > limits.sure:
                self.on = True
                return "begins"
        elif not self.on or self.mean <= limits.threshold / 2:
            was, self.on = self.on, False
            self.since, self.above, self.rows = None, [], 0
            return "ends" if was else None
        return None

    def state_dict(self) -> dict[str, Any]:
        return {"recent": self.recent, "above": self.above, "rows": self.rows, "since": self.since, "on": self.on}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.recent, self.above = list(state["recent"]), list(state["above"])
        self.rows, self.since, self.on = state["rows"], state["since"], state["on"]


def _t(values: Sequence[float]) -> float:
    """Student's t of the values' mean against 0."""
    mean, spread = statistics.fmean(values), statistics.stdev(values)
    return math.copysign(math.inf, mean) if spread == 0 else mean / (spread / math.sqrt(len(values)))


@final
@dataclass(frozen=True)
class Reference:
    """The loss curve of a training to compare with.

    Args:
        of: Title of the training.
        steps: Steps of its log rows, counted as steps of the watched training so that both have seen equally many images.
            Not integers if the two trainings' batch sizes differ.
        losses: Unweighted loss of each row: the mean since the row before.
        held: Compare with the geometric mean of the last `window` rows once the reference has ended. Otherwise there is no
            gap after its last step.
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


GAP = Limits(threshold=0.0488, window=5, rows=10, sure=6.0)
"""Of a task: its smoothed loss 5 % above the reference's (log 1.05 = 0.0488)."""

COSINE = Limits(threshold=0.1, window=10, rows=1, sure=6.0)
"""Of a place: a mean cosine below -0.1 over ten looks."""


@final
@dataclass(frozen=True)
class Monitor:
    """Watch a training of several tasks for negative transfer without changing it.

    Pass it to `taskweave.training.loop.fit`. It writes ``monitor.csv`` and ``warnings.json`` to the training's folder, logs
    to TensorBoard if that is on, and reports warnings as they begin. Columns:

    - ``gap.<task>`` at every row of the log: g = exp(mean_r log(l_r / s_r)) - 1 over the last five rows r, where l_r is the
      task's unweighted loss in the log and s_r that of its reference over the same steps.
    - ``cosine.<place>.<a>|<b>``: cos(d L_a / d z, d L_b / d z), where z is the features that meet at a connection: the
      inputs of the unit, of all streams and all images of the batch, as one vector. At the end of a shared trunk, z is the
      feature that the streams continue from. The cosine does not depend on the weights of the losses. For two tasks that no
      data set of a mixture labels together, z is the weights of the last layer of each stream before the connection, and
      each task's gradient is from its own batch; ``age`` is the number of steps between those batches.

    A warning needs limits passed several times in a row and a t-test over those values; see `Limits`.

    Sources: d L / d z as a stand-in for the gradient of all layers below: Sener and Koltun, "Multi-task learning as
    multi-objective optimization" (NeurIPS 2018), section 3.3. The cosine as a sign of transfer: Du et al., "Adapting
    auxiliary losses using gradient similarity" (2018), section 3.

    Args:
        references: {task: the training to compare with}; a task without one has no gap.
        cosine_every: Steps between comparisons of gradients, each a backward pass per task down to the first connection; 0
            for none.
        notes: Remarks to print when a training begins, e.g. which reference is missing.
        gap: When a gap leads to a warning.
        cosine: When a cosine leads to a warning.
    """

    references: Mapping[str, Reference] = field(default_factory=dict)
    cosine_every: int = 50
    notes: tuple[str, ...] = ()
    gap: Limits = GAP
    cosine: Limits = COSINE

    def __post_init__(self) -> None:
        if self.cosine_every < 0:
            raise ValueError(f"cosine_every should be a number of steps, or 0 for no cosines; got {self.cosine_every}")


IDLE = Monitor(cosine_every=0)
"""It sees nothing."""
