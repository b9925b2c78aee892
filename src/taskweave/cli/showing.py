"""What commands that compare say at the end."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from taskweave.cli.mistakes import INTERRUPTED
from taskweave.cli.progress import bars

if TYPE_CHECKING:
    from taskweave.evaluation.comparison import Comparison
    from taskweave.evaluation.recipe import Recipe


def compare_and_show(recipe: Recipe, *, out: Path, max_minutes: float | None = None, dry_run: bool = False) -> None:
    """Compare with progress, then print the table and where things are. Exits with 130 where Ctrl-C stopped it."""
    from taskweave.evaluation.comparison import compare

    console = Console()
    command = shlex.join(["taskweave", *sys.argv[1:]])
    with bars(console) as progress:
        done = compare(recipe, folder=out, max_minutes=max_minutes, dry_run=dry_run, progress=progress, command=command)
    _show(done, console, command)
    if done.state == "interrupted":
        raise typer.Exit(INTERRUPTED)


def _show(done: Comparison, console: Console, command: str) -> None:
    from taskweave.reporting.tables import table_of
    from taskweave.reporting.terminal import to_rich

    if done.state == "planned":
        _show_plan(done, console)
        return
    if done.result.rows:
        console.print(to_rich(table_of(done.result)))
    if done.result.missing:
        console.print(f"go on with: {command}", highlight=False)
    if done.pictures:
        console.print(f"pictures: {done.pictures[0].parent.absolute()}", soft_wrap=True, highlight=False)
    console.print(f"table and numbers: {done.folder.absolute()}", soft_wrap=True, highlight=False)


def _show_plan(done: Comparison, console: Console) -> None:
    from rich.table import Table

    from taskweave.evaluation.comparison import duration

    table = Table("run", "steps", "parameters", "GFLOPs a picture", "expected")
    for item in done.estimate.missing:
        cost = item.cost
        table.add_row(
            item.run.title, str(item.run.steps), f"{cost.parameters:,}", f"{cost.flops / 1e9:.2f}", duration(item.seconds)
        )
    console.print(table)
