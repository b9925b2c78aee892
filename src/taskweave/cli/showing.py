"""What commands that compare say at the end."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from taskweave.cli.mistakes import FAILED_RUNS, INTERRUPTED, NO_DATA
from taskweave.cli.progress import bars, say

if TYPE_CHECKING:
    from taskweave.experiments.comparison import Comparison
    from taskweave.experiments.launch.launcher import Launcher
    from taskweave.experiments.recipe import Recipe
    from taskweave.experiments.sweeps.axis import Sweep


def compare_and_show(
    recipe: Recipe,
    *,
    out: Path,
    max_minutes: float | None = None,
    dry_run: bool = False,
    elsewhere: bool = False,
    launcher: Launcher | None = None,
    wanted: Sweep | None = None,
) -> None:
    """Compare with progress, write table, charts and page from what that leaves, and print the table and where things are.

    wanted: the sweep that the recipe is of.  launcher: who trains; default this process.
    elsewhere: the data were said to lie elsewhere, so that it is a mistake if they do not.
    Exits with 130 where Ctrl-C stopped it, with 4 where runs failed, with 3 where a recipe's data are not there: then it
    says so beside its command.
    """
    from taskweave.experiments.agreement import absent_data
    from taskweave.experiments.comparison import compare
    from taskweave.experiments.sweeps.sweep import sweep
    from taskweave.reporting.report import write_report

    console = Console()
    command = shlex.join(["taskweave", *sys.argv[1:]])
    if not (dry_run or elsewhere) and (absent := absent_data(recipe)):
        _show_absent(absent, console, command)
        raise typer.Exit(NO_DATA)
    work = partial(compare, recipe) if wanted is None else partial(sweep, wanted)
    with bars(console) as progress:
        done = work(
            folder=out, max_minutes=max_minutes, dry_run=dry_run, progress=progress, launcher=launcher, command=command
        )
        drawn = () if dry_run else write_report(done.folder, progress=progress)
    _show(done, (*done.pictures, *drawn), console, command=command)
    if done.state == "interrupted":
        raise typer.Exit(INTERRUPTED)
    if done.state == "failed":
        raise typer.Exit(FAILED_RUNS)


def _show(done: Comparison, drawn: Iterable[Path], console: Console, *, command: str) -> None:
    from taskweave.reporting.tables import table_of
    from taskweave.reporting.terminal import to_rich
    from taskweave.results.folder import CHARTS, PAGE, PICTURES

    if done.state == "planned":
        _show_plan(done, console)
        return
    if done.result.rows:
        console.print(to_rich(table_of(done.result)))
    _show_failures_and_warnings(done, console)
    if done.result.missing:
        say(console, f"go on with: {command}")
    for place in dict.fromkeys(path.parent for path in drawn if path.parent.name in (PICTURES, CHARTS)):
        say(console, f"{place.name}: {place.absolute()}")
    say(console, f"table and numbers: {done.folder.absolute()}")
    say(console, f"as one page: {(done.folder / PAGE).absolute()}")


def _show_failures_and_warnings(done: Comparison, console: Console) -> None:
    from taskweave.reporting.formats import visible

    for failure in done.result.failed:
        say(console, visible(f"failed: {failure.method}, seed {failure.seed}: {failure.reason}"))
    if done.result.failed:
        place = (done.folder.parent / "runs").absolute()
        text = f"failed.json of each under {place} says more; change the recipe, or repeat the command to try them again"
        say(console, text)
    for warning in done.result.warnings:
        say(console, visible(f"negative transfer: {warning.method}, seed {warning.seed}: {warning.message}"))


def _show_absent(absent: dict[str, Path], console: Console, command: str) -> None:
    say(console, command)
    missing = ", ".join(str(path) for path in absent.values())
    how = "--data PATH" if len(absent) == 1 else " ".join(f"--data {name}=PATH" for name in absent)
    say(console, f"not run: no data: {missing} does not exist; say where the data are with {how}")


def _show_plan(done: Comparison, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    from taskweave.experiments.comparison import duration

    table = Table("run", "steps", "parameters", "GFLOPs a picture", "expected")
    for item in done.estimate.missing:
        cost = item.cost
        sizes = f"{cost.parameters:,}", f"{cost.flops / 1e9:.2f}"
        table.add_row(Text(item.run.title), str(item.run.steps), *sizes, duration(item.seconds))
    console.print(table)
