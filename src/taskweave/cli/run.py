"""taskweave run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from taskweave.cli.options import Data, Out, RecipeName, Set, Small


def run(
    recipe: RecipeName,
    method: Annotated[
        str, typer.Option("--method", help="Its label, or the name of its method or unit; default the recipe's last.")
    ] = "",
    seed: Annotated[int | None, typer.Option("--seed", help="Default the recipe's first.")] = None,
    small: Small = False,
    data: Data = None,
    settings: Set = None,
    out: Out = Path("results"),
) -> None:
    """Train one method of a recipe with one seed, and the runs that it starts from, and print its metrics.

    What is stored is not trained again, and `taskweave compare` with the same output folder takes it over.

    \b
    taskweave run demo --method cross-stitch --seed 3
    """
    from taskweave.cli.mistakes import INTERRUPTED, resumable

    with resumable():
        from rich.console import Console

        from taskweave.cli.options import chosen
        from taskweave.cli.progress import bars, say
        from taskweave.experiments.one_run import run as run_one

        console = Console()
        asked = chosen(recipe, small=small, data=data, seeds="", settings=settings)
        with bars(console) as progress:
            row = run_one(asked, method=method or None, seed=seed, folder=out, progress=progress)
    if row is None:
        console.print("stopped; the same command goes on from the last checkpoint")
        raise typer.Exit(INTERRUPTED)
    size = f"{row.parameters:,} parameters, {row.flops / 1e9:.2f} GFLOPs a picture"
    console.print(f"{row.method}, seed {row.seed}: {size}", highlight=False, markup=False)
    for task, metrics in row.metrics.items():
        values = "  ".join(f"{name} {'-' if v is None else f'{v:.4g}'}" for name, v in metrics.items())
        console.print(f"  {task}: {values}", highlight=False, markup=False)
    for digest in row.runs:
        say(console, f"weights: {(out / 'runs' / digest).absolute()}")
