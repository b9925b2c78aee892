"""taskweave predict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def predict(
    run: Annotated[Path, typer.Argument(help="A finished run's folder: results/runs/<hash>.", show_default=False)],
    images: Annotated[list[Path], typer.Argument(help="Pictures: PNG or JPEG.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", help="Folder of the pictures that are written.")] = Path("predictions"),
    recipe: Annotated[
        Path | None,
        typer.Option("--recipe", help="The recipe of the run, which you trust: for a network, task or data of your own."),
    ] = None,
    allow: Annotated[
        list[Path] | None,
        typer.Option("--allow", help="A file of code that the run's own recipe may use, in place of --recipe."),
    ] = None,
) -> None:
    """Predict every task of a finished run for pictures, and write one PNG per task and picture.

    comparison.json names the runs of every row; `taskweave run` prints its own. A run with code of your own needs its
    recipe, or a word that the code may run: what lies in a folder of results is not trusted. Code that was changed since
    the run is refused.

    \b
    taskweave predict results/runs/0123456789abcdef photo.jpg other.png --out predictions
    taskweave predict results/runs/0123456789abcdef photo.jpg --recipe my.yaml
    taskweave predict results/runs/0123456789abcdef photo.jpg --allow my_nets.py
    """
    from rich.console import Console

    from taskweave.cli.progress import say
    from taskweave.experiments.predicting import predict_pictures

    console = Console()
    with console.status("predicting"):
        written = predict_pictures(run, images, out, recipe=recipe, allow=allow or ())
    for path in written:
        say(console, str(path))
