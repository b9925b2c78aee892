"""Options that several commands share, with their help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from taskweave.experiments.launch.launcher import Launcher
    from taskweave.experiments.recipe import Recipe

RecipeName = Annotated[
    str, typer.Argument(help="nddr/table4 (see `taskweave recipes`), my.yaml, or my_file.py:my_recipe.", show_default=False)
]
Small = Annotated[bool, typer.Option("--small", help="The recipe's small form: another size, minutes on two cores.")]
Data = Annotated[
    list[str] | None,
    typer.Option("--data", help="Where the data lie; name=path, many times, for a recipe of several data sets."),
]
Seeds = Annotated[str, typer.Option("--seeds", help="Comma-separated, e.g. 0,1,2. Every seed is one more run per method.")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Any field of the recipe: training.connected.steps=200; may be given many times."),
]
Out = Annotated[Path, typer.Option("--out", help="Folder of all results; runs in it are shared by all recipes.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what it would take: runs, time, disk.")]
MaxMinutes = Annotated[
    float | None, typer.Option("--max-minutes", help="Stop after so long; the same command goes on from there.", min=0)
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", help="So many runs at once, each with cores / jobs threads; default one at a time.", min=1),
]
Ray = Annotated[
    str,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Train on a Ray cluster: its address, auto or local. All its machines must see --out under one path.",
    ),
]


def launcher_of(jobs: int | None, ray: str) -> Launcher | None:
    """Who trains, by the options --jobs and --ray; None for this process."""
    if ray:
        from taskweave.experiments.launch.on_ray import OnRay

        return OnRay(ray, jobs=jobs)
    if jobs is None or jobs == 1:
        return None
    from taskweave.experiments.launch.processes import Processes

    return Processes(jobs)


def chosen(name: str, *, small: bool, data: list[str] | None, seeds: str, settings: list[str] | None) -> Recipe:
    """The recipe that the options ask for."""
    from taskweave.experiments.overrides import with_settings
    from taskweave.recipes.catalogue import find

    return with_settings(find(name, small=small, data=places(data or []), seeds=numbers(seeds)), settings or [])


def places(given: list[str]) -> Path | dict[str, Path] | None:
    """['../x'] -> that path; ['a=../x', 'b=../y'] -> {name: path}; None for none. Raises ValueError for a mix of both.

    What is before '=' is a name unless it holds a '/': paths may have an '=' in them.
    """
    pairs = [text.partition("=") for text in given]
    named = [bool(sign) and "/" not in name for name, sign, _ in pairs]
    if not any(named):
        if len(given) > 1:
            raise ValueError(f"--data {given[1]}: several data sets are given by name, --data name=path; got {given}")
        return Path(given[0]) if given else None
    if not all(named) or len({name for name, _, _ in pairs}) < len(pairs):
        raise ValueError(f"--data takes one path, or name=path for each of several data sets; got {given}")
    return {name: Path(path) for name, _, path in pairs}


def numbers(text: str) -> tuple[int, ...] | None:
    """'0,1,2' -> (0, 1, 2); None for ''. Raises ValueError for anything else."""
    if not text.strip():
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise ValueError(f"--seeds takes whole numbers with commas between them, e.g. 0,1,2; got {text!r}") from error
