"""taskweave inspect-data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def inspect_data(
    path: Annotated[Path, typer.Argument(help="A data set's folder as it was unpacked, or a store.", show_default=False)],
    samples: Annotated[int, typer.Option("--samples", help="Pictures of each split to read, evenly spaced; 0: all.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Say which layout a folder of data is in and what is in it, and warn of known traps.

    Shows what to write in a recipe; splits with their counts; type, shape and range of what is stored and of what is read;
    the share of pixels without a label. Warns of grey normals, disparity taken for depth, swapped channels, lists and files
    that do not match, pictures in two splits. Of a store: its parts and of what it was packed. Exits with 2 where it knows
    no layout, and says what it expected.

    \b
    taskweave inspect-data ../data/nyuv2
    taskweave inspect-data stores/nyuv2
    taskweave inspect-data ../data/cityscapes --samples 0 --json > facts.json
    """
    from rich.console import Console

    from taskweave.cli.mistakes import BAD_INPUT
    from taskweave.cli.progress import bars
    from taskweave.data.inspection import inspect

    with bars() as progress:
        found = inspect(path, samples=samples, progress=progress)
    if as_json:
        import json

        typer.echo(json.dumps(found.as_json(), indent=2))
    else:
        from taskweave.cli.inspection_tables import show

        show(found, Console())
    if not found.layouts:
        raise typer.Exit(BAD_INPUT)
