"""taskweave demo."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from taskweave.cli.options import Out, Seeds, Set


class Shown(StrEnum):
    """What the demo is about."""

    SCENES = "scenes"
    PETS = "pets"


_RECIPES = {Shown.SCENES: "demo", Shown.PETS: "demo_pets"}
On = Annotated[
    Shown, typer.Option("--data", help="Generated rooms, or the photographs of pets that ship inside (CC BY-SA 4.0).")
]


def demo(data: On = Shown.SCENES, out: Out = Path("taskweave-demo"), seeds: Seeds = "", settings: Set = None) -> None:
    """Compare ways of joining tasks on generated rooms, or on pictures of pets: no download, under 4 minutes on two cores.

    Ends with the table; pictures of input, target and prediction are in the output folder. Started again, it shows the
    stored results at once.

    \b
    taskweave demo
    taskweave demo --data pets --out pets-demo
    taskweave demo --data pets --seeds 0,1,2 --set training.joint.steps=600
    """
    from taskweave.cli.mistakes import resumable

    with resumable():
        from taskweave.cli.options import chosen
        from taskweave.cli.showing import compare_and_show

        recipe = chosen(_RECIPES[data], small=False, data=None, seeds=seeds, settings=settings)
        compare_and_show(recipe, out=out)
