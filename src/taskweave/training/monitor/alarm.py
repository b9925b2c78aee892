"""When a noisy series is above a limit for good."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final


@final
@dataclass(frozen=True)
class Limits:
    """An alarm begins where the mean of the last `window` values was above `threshold` for `rows` values in a row, and the
    values since the first of those windows began have t = mean / (s / sqrt(n)) above `sure`, s their standard deviation.

    It ends where the mean of a window is at half the threshold or below. benchmarks/results/transfer_monitor.md has the
    rates of false alarms on simulated series.
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
        """Of the last `window` values, or of as many as there are. Raises ValueError where there is none."""
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
