"""One run at a time in this process, and one try at a run, alone among all processes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

from taskweave.experiments.launch.failures import FAILURES, forget_failure, read_failure
from taskweave.experiments.launch.launcher import Ended, Launcher, Place, Workers
from taskweave.experiments.launch.locks import RunLock
from taskweave.experiments.plan import Run
from taskweave.experiments.running import find_record, folder_of, train_run
from taskweave.training.checkpoint import open_folder


def attempt(run: Run, place: Place) -> Ended:
    """Train a run if no other process does and it is not stored. Raises what concerns more than this run."""
    own = folder_of(run, place.folder)
    open_folder(own)
    with RunLock(own).tried() as ours:
        if not ours:
            return Ended(run, "busy")
        if find_record(run, place.folder) is not None:  # another process was done before we had the lock
            return Ended(run, "stored")
        forget_failure(own)
        try:
            record = train_run(run, place.bench, folder=place.folder, stop=place.stop, progress=place.progress)
        except FAILURES:
            if read_failure(own) is None:  # raised before its training began: wrong for every run
                raise
            return Ended(run, "failed")
    return Ended(run, "stopped" if record is None else "stored")


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
