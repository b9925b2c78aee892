"""Options that several commands share, with their help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from taskweave.evaluation.recipe import Recipe

RecipeName = Annotated[
    str, typer.Argument(help="nddr/table4 (see `taskweave recipes`), my.yaml, or my_file.py:my_recipe.", show_default=False)
]
Small = Annotated[bool, typer.Option("--small", help="The recipe's small form: another size, minutes on two cores.")]
Data = Annotated[Path | None, typer.Option("--data", help="Where the data lie, instead of the recipe's own place.")]
Seeds = Annotated[str, typer.Option("--seeds", help="Comma-separated, e.g. 0,1,2. Every seed is one more run per method.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Any field of the recipe: training.connected.steps=200; may be given many times."),
]
Out = Annotated[Path, typer.Option("--out", help="Folder of all results; runs in it are shared by all recipes.")]


def chosen(name: str, *, small: bool, data: Path | None, seeds: str, settings: list[str] | None) -> Recipe:
    """The recipe that the options ask for."""
    from taskweave.evaluation.setting import with_settings
    from taskweave.recipes.catalogue import find

    return with_settings(find(name, small=small, data=data, seeds=numbers(seeds)), settings or [])


def numbers(text: str) -> tuple[int, ...] | None:
    """'0,1,2' -> (0, 1, 2); None for ''. Raises ValueError for anything else."""
    if not text.strip():
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise ValueError(f"--seeds takes whole numbers with commas between them, e.g. 0,1,2; got {text!r}") from error
