"""A sweep from beginning to end: its comparison, and its chart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from taskweave.experiments.artifacts.writing import drawn_or_noted
from taskweave.experiments.comparison import Comparison, compare
from taskweave.experiments.launch.launcher import Launcher
from taskweave.progress import Progress, Silent, StopSignal
from taskweave.results.folder import CHARTS
from taskweave.results.swept import Swept


def sweep(
    swept: Swept,
    *,
    folder: Path = Path("results"),
    max_minutes: float | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
    stop: StopSignal | None = None,
    launcher: Launcher | None = None,
    command: str = "",
) -> Comparison:
    """Train what is not there yet of all values, compare them with the single networks, and draw them.

    Arguments, stored runs, resuming and errors are those of `compare`; ``charts/sweep-<axis>.png`` and .svg come with it,
    as soon as one value can be compared. A chart that cannot be drawn is noted: the numbers are stored.
    """
    done = compare(
        swept.recipe,
        folder=folder,
        max_minutes=max_minutes,
        dry_run=dry_run,
        progress=progress,
        stop=stop,
        launcher=launcher,
        command=command,
    )
    found = {point.method for point in swept.points} & set(done.result.methods)
    if dry_run or not found or done.result.baseline not in done.result.methods:
        return done
    from taskweave.reporting.sweep_chart import sweep_chart

    path = done.folder / CHARTS / f"sweep-{swept.axis}.png"
    charts = drawn_or_noted("the sweep", lambda: [sweep_chart(done.result, swept, path)], progress or Silent())
    return replace(done, pictures=(*done.pictures, *charts))
