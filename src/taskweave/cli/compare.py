"""taskweave compare."""

from __future__ import annotations

from pathlib import Path

from taskweave.cli.options import Data, DryRun, Jobs, MaxMinutes, Out, Ray, RecipeName, Seeds, Set, Small


def compare(
    recipe: RecipeName,
    small: Small = False,
    data: Data = None,
    seeds: Seeds = "",
    settings: Set = None,
    out: Out = Path("results"),
    dry_run: DryRun = False,
    max_minutes: MaxMinutes = None,
    jobs: Jobs = None,
    ray: Ray = "",
) -> None:
    """Train every method and seed of a recipe that is not stored yet, and print one table.

    Interrupted (Ctrl-C) or out of time, the same command goes on where it stopped. Single-task runs are trained once and
    shared by all methods, and by other recipes with the same output folder. Where the data are not there, the command and
    "not run: no data" are printed, and the exit code is 3. A run that fails leaves the others alone;
    the exit code is then 4.

    \b
    taskweave compare nddr/table4 --small --data nyuv2 --dry-run     what it would take
    taskweave compare nddr/table4 --small --data nyuv2               all of it
    taskweave compare my.yaml --set training.connected.steps=500     your own, a field changed
    """
    from taskweave.cli.mistakes import resumable

    with resumable():
        from taskweave.cli.options import chosen, launcher_of
        from taskweave.cli.showing import compare_and_show

        asked = chosen(recipe, small=small, data=data, seeds=seeds, settings=settings)
        compare_and_show(
            asked,
            out=out,
            max_minutes=max_minutes,
            dry_run=dry_run,
            elsewhere=data is not None,
            launcher=launcher_of(jobs, ray),
        )
