"""Several runs at once, each in a process of its own on this machine."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import final

from taskweave.experiments.bench import Bench
from taskweave.experiments.launch.failures import FailureNote, last_step, write_failure
from taskweave.experiments.launch.launcher import Ended, How, Launcher, Place, Workers
from taskweave.experiments.launch.permit import Permit, permitted
from taskweave.experiments.launch.worker import prepare, threads_for, work
from taskweave.experiments.plan import Run
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.running import find_record, folder_of

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
_PATIENCE = 5.0
"""Seconds for an idle worker to leave."""


@final
class Processes(Launcher):
    """At most `jobs` runs at once, each with the cores divided by the jobs. Raises ValueError for jobs < 1.

    A process that dies marks its run failed and another takes its place. A script that uses it needs the usual
    ``if __name__ == "__main__":``, since processes are spawned.
    """

    def __init__(self, jobs: int) -> None:
        if jobs < 1:
            raise ValueError(f"at least one job, got {jobs}; leave it out for one run at a time in this process")
        self.jobs = jobs

    @contextmanager
    def opened(self, place: Place) -> Iterator[Workers]:
        with permitted(place.folder) as permit:
            crew = _Crew(place, self.jobs, permit)
            try:
                yield crew
            finally:
                crew.close()


@final
class _Crew(Workers):
    """Processes are started when first needed."""

    def __init__(self, place: Place, jobs: int, permit: Permit) -> None:
        self._place, self._jobs, self._permit = place, jobs, permit
        self._idle: list[_Process] = []
        self._busy: list[_Process] = []

    @property
    def free(self) -> bool:
        return len(self._busy) < self._jobs

    @property
    def under_way(self) -> tuple[Run, ...]:
        return tuple(worker.run for worker in self._busy if worker.run is not None)

    def start(self, run: Run) -> None:
        worker = self._idle.pop() if self._idle else _Process(self._place, threads_for(self._jobs), self._permit)
        worker.give(run)
        self._busy.append(worker)

    def ended(self, seconds: float) -> list[Ended]:
        wait([worker.pipe for worker in self._busy], timeout=seconds)
        done: list[Ended] = []
        for worker in [worker for worker in self._busy if worker.pipe.poll()]:
            self._busy.remove(worker)
            run, how = worker.take()
            if how is None:
                how = crashed(run, self._place.folder, f"its process ended with exit code {worker.exit_code}")
            else:
                self._idle.append(worker)
            done.append(Ended(run, how))
        return done

    def ask_to_stop(self) -> None:
        self._permit.stop()

    def close(self) -> None:
        """None is left; those that still train (after an error, or a second Ctrl-C) end at once."""
        for worker in self._idle:
            worker.dismiss()
        for worker in self._busy:
            worker.kill()


def crashed(run: Run, folder: Path, what: str) -> How:
    """Note a run whose worker is gone as failed, unless it was done before."""
    if find_record(run, folder) is not None:
        return "stored"
    own = folder_of(run, folder)
    reason = f"{what}; perhaps the machine's memory was too small for so many jobs at once"
    write_failure(own, FailureNote(title=run.title, reason=reason, step=last_step(own)))
    return "failed"


@final
class _Process:
    """One worker process, which does one run after the other."""

    def __init__(self, place: Place, threads: int, permit: Permit) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        arguments = (theirs, place.bench.recipe, place.folder.absolute(), permit.path, threads)
        self._process = context.Process(target=_serve, args=arguments, name="taskweave worker")
        before = {name: os.environ.get(name) for name in _THREADS}
        os.environ.update(dict.fromkeys(_THREADS, str(threads)))  # a process reads them once, when it begins
        try:
            self._process.start()
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        theirs.close()
        self.run: Run | None = None

    def give(self, run: Run) -> None:
        self.run = run
        self.pipe.send(run)

    def take(self) -> tuple[Run, How | None]:
        """What became of the run; None where the process died. Raises what concerns more than the run."""
        run, self.run = self.run, None
        assert run is not None
        try:
            answer = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self._process.join()
            return run, None
        if isinstance(answer, Exception):
            raise answer
        return run, answer

    @property
    def exit_code(self) -> int | None:
        return self._process.exitcode

    def dismiss(self) -> None:
        with suppress(OSError):  # it is gone already
            self.pipe.send(None)
        self._process.join(_PATIENCE)
        self.kill()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


def _serve(pipe: Connection, recipe: Recipe, folder: Path, permit: Path, threads: int) -> None:
    """A worker process: runs in, what became of them out, until None."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the first one decides
    prepare(threads)
    bench = Bench(recipe)
    while True:
        try:
            run: Run | None = pipe.recv()
        except EOFError:  # whoever asked is gone
            return
        if run is None:
            return
        try:
            pipe.send(work(run, bench, folder=folder, permit=permit))
        except Exception as error:  # noqa: BLE001 - told and raised where it was asked for
            pipe.send(_portable(error))


def _portable(error: Exception) -> Exception:
    """The error where it survives the way to another process, else its traceback in one that does."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - whatever its class does
        return RuntimeError("".join(traceback.format_exception(error)))
    return error
