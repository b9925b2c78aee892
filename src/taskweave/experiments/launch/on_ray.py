"""Runs on a Ray cluster: the same folder of results, which all its machines see."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

from taskweave.experiments.bench import Bench
from taskweave.experiments.launch.launcher import Ended, How, Launcher, Place, Workers
from taskweave.experiments.launch.permit import Permit, permitted
from taskweave.experiments.launch.processes import crashed
from taskweave.experiments.launch.worker import bench_of, prepare, work
from taskweave.experiments.plan import Run
from taskweave.experiments.recipe import Recipe

LOCAL, AUTO = "local", "auto"


@final
class OnRay(Launcher):
    """At most `jobs` runs at once on a Ray cluster; None: one for each of its machines.

    address: of the cluster; "auto" for the one that this machine is part of, "local" for one of its own on this machine,
        which ends with the sweep.
    Each run takes the cluster's cores (and GPUs) divided by the jobs, one core at least and no more than a machine has.
    Raises ImportError without Ray, ConnectionError for a cluster that is not there, FolderNotSharedError where a worker
    does not see the folder, OtherMachineError where it would compute otherwise.
    """

    def __init__(self, address: str = AUTO, *, jobs: int | None = None) -> None:
        if jobs is not None and jobs < 1:
            raise ValueError(f"at least one job, got {jobs}; leave it out for one per machine of the cluster")
        self.address, self.jobs = address, jobs

    @contextmanager
    def opened(self, place: Place) -> Iterator[Workers]:
        ray = _import()
        ours = not ray.is_initialized()
        if ours:
            _connect(ray, self.address)
        try:
            with permitted(place.folder) as permit:
                crew = _Crew(ray, place, permit, self.jobs)
                try:
                    yield crew
                finally:
                    crew.close()
        finally:
            if ours:
                ray.shutdown()


def _import() -> Any:
    try:
        import ray
    except ImportError as error:
        raise ImportError("--ray needs Ray: pip install taskweave[ray]; --jobs N needs nothing further") from error
    return ray


def _connect(ray: Any, address: str) -> None:
    try:
        ray.init(address=address, include_dashboard=False, log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ConnectionError(
            f"there is no Ray cluster at {address!r} ({error}); start one with `ray start --head`, give its address, or "
            f"--ray {LOCAL} for one on this machine"
        ) from error


@final
class _Crew(Workers):
    """Each run is a task of the cluster, never tried twice by Ray itself: a run that fails is ours to note."""

    def __init__(self, ray: Any, place: Place, permit: Permit, jobs: int | None) -> None:
        self._ray, self._place, self._permit = ray, place, permit
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        self._jobs = jobs or len(nodes)
        each = {name: sum(node.get(name, 0.0) for node in nodes) / self._jobs for name in ("CPU", "GPU")}
        self._threads = max(1, int(min(each["CPU"], max(node.get("CPU", 1.0) for node in nodes))))
        self._task = ray.remote(num_cpus=self._threads, num_gpus=min(1, int(each["GPU"])), max_retries=0)(_on_a_worker)
        self._recipe = ray.put(place.bench.recipe)
        self._busy: dict[Any, Run] = {}

    @property
    def free(self) -> bool:
        return len(self._busy) < self._jobs

    @property
    def under_way(self) -> tuple[Run, ...]:
        return tuple(self._busy.values())

    def start(self, run: Run) -> None:
        places = (str(self._place.folder.absolute()), str(self._permit.path))
        self._busy[self._task.remote(run, self._recipe, *places, self._threads)] = run

    def ended(self, seconds: float) -> list[Ended]:
        if not self._busy:
            time.sleep(seconds)
            return []
        done, _ = self._ray.wait(list(self._busy), num_returns=1, timeout=seconds)
        return [self._ended(reference) for reference in done]

    def _ended(self, reference: Any) -> Ended:
        from ray.exceptions import RayError, RayTaskError

        run = self._busy.pop(reference)
        try:
            how: How = self._ray.get(reference)
        except RayTaskError as error:
            raise error.cause from error
        except RayError as error:  # the worker, or its machine, is gone
            how = crashed(run, self._place.folder, f"its Ray worker is gone ({type(error).__name__})")
        return Ended(run, how)

    def ask_to_stop(self) -> None:
        self._permit.stop()

    def close(self) -> None:
        for reference in self._busy:
            self._ray.cancel(reference, force=True)


_BENCHES: dict[str, Bench] = {}
"""Of a worker process, which Ray gives one task after the other."""


def _on_a_worker(run: Run, recipe: Recipe, folder: str, permit: str, threads: int) -> How:
    """The task, as it runs on a machine of the cluster."""
    prepare(threads)
    return work(run, bench_of(recipe, _BENCHES), folder=Path(folder), permit=Path(permit))
