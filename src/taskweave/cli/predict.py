"""taskweave predict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def predict(
    run: Annotated[Path, typer.Argument(help="A finished run's folder: results/runs/<hash>.", show_default=False)],
    images: Annotated[list[Path], typer.Argument(help="Pictures: PNG or JPEG.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", help="Folder of the pictures that are written.")] = Path("predictions"),
) -> None:
    """Predict every task of a finished run for pictures, and write one PNG per task and picture.

    comparison.json names the runs of every row; `taskweave run` prints its own.

    \b
    taskweave predict results/runs/0123456789abcdef photo.jpg other.png --out predictions
    """
    from rich.console import Console

    from taskweave.experiments.predicting import predict_pictures

    console = Console()
    with console.status("predicting"):
        written = predict_pictures(run, images, out)
    for path in written:
        console.print(str(path), soft_wrap=True, highlight=False, markup=False)
