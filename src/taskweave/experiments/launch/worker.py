"""What a worker does, in a process of its own or on another machine."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path

from taskweave.experiments.bench import Bench
from taskweave.experiments.launch.here import attempt
from taskweave.experiments.launch.launcher import How, Place
from taskweave.experiments.launch.permit import Permit
from taskweave.experiments.plan import Run
from taskweave.experiments.recipe import Recipe
from taskweave.progress import Silent


class OtherMachineError(OSError):
    """A worker's machine would train other runs than the one that asks for them."""


def cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def threads_for(jobs: int) -> int:
    """Threads of each of so many jobs: the cores shared out, one at least."""
    return max(1, cores() // jobs)


def prepare(threads: int) -> None:
    """Compute with so many threads from now on."""
    import torch

    torch.set_num_threads(threads)


def work(run: Run, bench: Bench, *, folder: Path, permit: Path) -> How:
    """Try one run; stopped soon after the permit ends. Raises what concerns more than this run."""
    host = socket.gethostname()
    permitted = Permit(permit)
    permitted.check(host)
    _check_same(run, host)
    with permitted.watched() as stop:
        return attempt(run, Place(bench, folder, stop, Silent())).how


def _check_same(run: Run, host: str) -> None:
    """The same run has another name where it would be computed otherwise: on a GPU, or with another precision."""
    here = replace(run).digest  # computed anew, on this machine
    if here != run.digest:
        raise OtherMachineError(
            f"on {host} the run {run.title!r} would be computed otherwise than where it was asked for (a GPU, or another "
            "precision): say device and precision in the recipe, e.g. --set training.single.device=cpu "
            "--set training.single.precision=32, for single, connected and joint"
        )


def bench_of(recipe: Recipe, known: dict[str, Bench]) -> Bench:
    """A recipe's bench, kept for the next run of the same recipe; the data of others are let go."""
    key = recipe.model_dump_json()
    if key not in known:
        known.clear()
        known[key] = Bench(recipe)
    return known[key]
