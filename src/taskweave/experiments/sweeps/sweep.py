"""A sweep from beginning to end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from taskweave.experiments.comparison import Comparison, compare
from taskweave.experiments.launch.launcher import Launcher
from taskweave.experiments.sweeps.axis import Sweep
from taskweave.progress import Progress, StopSignal
from taskweave.results.folder import RESULT


def sweep(
    asked: Sweep,
    *,
    folder: Path = Path("results"),
    max_minutes: float | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
    stop: StopSignal | None = None,
    launcher: Launcher | None = None,
    command: str = "",
) -> Comparison:
    """Train what is not there yet of all values, and compare them with the single networks.

    Arguments, stored runs, resuming and errors are those of `compare`. The axis is kept in comparison.json, from which
    `taskweave.reporting.write_report` draws ``charts/sweep-<axis>.png`` and .svg.
    """
    done = compare(
        asked.recipe,
        folder=folder,
        max_minutes=max_minutes,
        dry_run=dry_run,
        progress=progress,
        stop=stop,
        launcher=launcher,
        command=command,
    )
    done = replace(done, result=done.result.model_copy(update={"sweep": asked.swept}))
    if not dry_run:
        done.result.save(done.folder / RESULT)
    return done
