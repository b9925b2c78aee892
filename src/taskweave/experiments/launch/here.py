"""One run at a time, in this process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

from taskweave.experiments.launch.attempting import attempt
from taskweave.experiments.launch.launcher import Ended, Launcher, Place, Workers
from taskweave.experiments.plan import Run


@final
class Here(Launcher):
    """Trains in this process, with all its threads."""

    @contextmanager
    def opened(self, place: Place) -> Iterator[Workers]:
        yield _Alone(place)


@final
class _Alone(Workers):
    """`start` returns when the run has ended."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._done: list[Ended] = []

    @property
    def free(self) -> bool:
        return not self._done

    @property
    def under_way(self) -> tuple[Run, ...]:
        return tuple(ended.run for ended in self._done)

    def start(self, run: Run) -> None:
        self._done.append(attempt(run, self._place))

    def ended(self, seconds: float) -> list[Ended]:
        done, self._done = self._done, []
        if not done:
            time.sleep(seconds)
        return done

    def ask_to_stop(self) -> None:
        """Its trainings look at the same signal."""
