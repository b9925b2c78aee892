"""One try at one run, alone among all processes."""

from __future__ import annotations

from taskweave.experiments.launch.failures import FAILURES, forget_failure, read_failure
from taskweave.experiments.launch.launcher import Ended, Place
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
