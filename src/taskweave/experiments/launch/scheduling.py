"""In which order runs are trained: parents first, others while somebody else trains one, none that cannot be had."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import final

from taskweave.experiments.launch.failures import FailureNote, last_step, read_failure
from taskweave.experiments.launch.launcher import Ended, Launcher, Place, Workers
from taskweave.experiments.launch.locks import RunLock
from taskweave.experiments.plan import Run
from taskweave.experiments.running import find_record, folder_of
from taskweave.progress import Reason

_LOOK = 0.5
"""Seconds between two looks at what others do."""
_QUARTERS = 4


def train_all(runs: Sequence[Run], launcher: Launcher, place: Place) -> Reason | None:
    """Every run that is not stored, until all are there or failed; or until `place.stop`, whose reason is returned.

    runs: each once, parents before what needs them. A run that another process trains is waited for, other runs first.
    A run that fails, here or there, takes with it those that need it, and no others.
    Raises what concerns more than one run; whatever was started is stopped before.
    """
    board, progress = _Board(runs, place), place.progress
    progress.begin("runs", len(runs), done=len(runs) - len(board.left))
    try:
        if not board.left:
            return None
        with launcher.opened(place) as workers:
            return _work(board, workers, place)
    finally:
        progress.end()


def _work(board: _Board, workers: Workers, place: Place) -> Reason | None:
    asked = False
    while board.left or workers.under_way:
        reason = place.stop.reason
        if reason is not None:
            if not workers.under_way:
                return reason
            if not asked:
                workers.ask_to_stop()
                asked = True
        else:
            _start(board, workers)
        for ended in workers.ended(_LOOK):
            board.note(ended)
        board.look(workers.under_way)
    return None


def _start(board: _Board, workers: Workers) -> None:
    for run in board.ready(workers.under_way):
        if not workers.free:
            return
        board.tell(run.title)
        workers.start(run)


@final
class _Board:
    """What is left to do, what others do, and what cannot be done."""

    def __init__(self, runs: Sequence[Run], place: Place) -> None:
        self._place = place
        self.left = [run for run in runs if find_record(run, place.folder) is None]
        self._elsewhere: dict[str, float] = {}
        self._before = {run.digest: self._failure(run) for run in self.left}
        self._told: set[tuple[str, int]] = set()

    def _failure(self, run: Run) -> FailureNote | None:
        return read_failure(folder_of(run, self._place.folder))

    def ready(self, under_way: Sequence[Run]) -> list[Run]:
        """What can be started, in order; what others were seen to train last, and not more often than `_LOOK`."""
        busy = {run.digest for run in under_way}
        waiting = {run.digest for run in self.left}
        able = [
            run
            for run in self.left
            if run.digest not in busy and not any(parent.digest in waiting for parent in run.parents)
        ]
        ours = [run for run in able if run.digest not in self._elsewhere]
        return ours or [run for run in able if time.monotonic() >= self._elsewhere[run.digest] + _LOOK]

    def tell(self, title: str) -> None:
        if (title, -1) not in self._told:
            self._told.add((title, -1))
            self._place.progress.note(title)

    def note(self, ended: Ended) -> None:
        """Take up what became of a run."""
        run = ended.run
        if ended.how == "busy":
            if run.digest not in self._elsewhere:
                holder = RunLock(folder_of(run, self._place.folder)).holder
                self._place.progress.note(f"{run.title}: trained already by {holder}; waiting for it, others first")
            self._elsewhere[run.digest] = time.monotonic()
            return
        self._elsewhere.pop(run.digest, None)
        if ended.how == "stored":
            self._done(run)
        elif ended.how == "failed":
            self._drop(run)

    def look(self, under_way: Sequence[Run]) -> None:
        """See how far the runs are that are trained elsewhere, by workers of ours and by others.

        What a worker of ours tries again is no longer the others': its end is told by `note`.
        """
        ours = {run.digest for run in under_way}
        for run in [run for run in self.left if run.digest in self._elsewhere and run.digest not in ours]:
            if find_record(run, self._place.folder) is not None:
                self._done(run)
            elif self._failure(run) not in (None, self._before[run.digest]):  # it failed there, since we began
                self._drop(run)
        for run in under_way:
            self._tell_quarter(run)

    def _tell_quarter(self, run: Run) -> None:
        step = last_step(folder_of(run, self._place.folder)) or 0
        quarter = step * _QUARTERS // max(1, run.steps)
        if quarter > 0 and (run.title, quarter) not in self._told:
            self._told.add((run.title, quarter))
            self._place.progress.note(f"{run.title}: step {step} of {run.steps}")

    def _done(self, run: Run) -> None:
        self.left.remove(run)
        self._place.progress.advance(1)

    def _drop(self, run: Run) -> None:
        """Forget a failed run and whatever needs it."""
        found = self._failure(run)
        self._place.progress.note(f"{run.title} failed: {found.reason if found is not None else 'reason unknown'}")
        lost = {run.digest}
        for other in list(self.left):
            if other.digest in lost or any(parent.digest in lost for parent in other.parents):
                lost.add(other.digest)
                self.left.remove(other)
                self._place.progress.advance(1)
