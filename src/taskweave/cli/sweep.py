"""taskweave sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from taskweave.cli.options import Data, DryRun, Jobs, MaxMinutes, Out, Ray, RecipeName, Seeds, Set, Small

Axis = Annotated[
    str, typer.Argument(help="What is varied: split, init, lr, start, unit, places or seeds.", show_default=False)
]
Values = Annotated[
    str, typer.Option("--values", help="Comma-separated values of the axis, in place of the usual ones; see above.")
]
Method = Annotated[
    str,
    typer.Option(
        "--method",
        help="Label of the row that is varied, or the name of its unit, default the first with units; of split the "
        "one that stands beside, default cross-stitch; of seeds the one that is drawn, default the last.",
    ),
]


def sweep(
    axis: Axis,
    recipe: RecipeName,
    values: Values = "",
    method: Method = "",
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
    """Vary one thing of a recipe, compare all values with the single-task networks, and draw them.

    A sweep is a comparison called RECIPE-sweep-AXIS: its runs are stored, shared with every recipe that has the same
    output folder, and never trained twice, also by several commands at once; stopped, the same command goes on.

    \b
    axis    usual values (as --values takes them)
    split   pool1,pool2,...       every stage up to which the tasks can share one trunk, beside cross-stitch
    init    0.1:0.9,0.9:0.1,...   a unit's weights at the start, own:other
    lr      1,10,100,1000         how many times the base rate units learn at
    start   scratch,scenes,single what connected networks start from; also library, file
    unit    cross_stitch,nddr,... also cross_connection, sluice, scale_layer, or your own
    places  pool1,pool1+pool2,... where streams meet: each place alone, then more and more of them
    seeds   0,1,2                 the same recipe again: what chance alone changes

    \b
    taskweave sweep split cross_stitch/figure2 --small --data nyuv2 --dry-run    what it would take
    taskweave sweep split cross_stitch/figure2 --small --data nyuv2              all splits, and figure 2
    taskweave sweep lr nddr/table4 --method NDDR --values 1,30 --small --data nyuv2
    """
    from taskweave.cli.mistakes import resumable

    with resumable():
        from taskweave.cli.options import chosen, launcher_of
        from taskweave.cli.showing import compare_and_show
        from taskweave.experiments.sweeps.axes import axis_named

        varied = axis_named(axis)
        asked = chosen(recipe, small=small, data=data, seeds=seeds, settings=settings)
        given = tuple(part.strip() for part in values.split(",") if part.strip())
        wanted = varied.of(asked, values=given, method=method or None)
        compare_and_show(
            wanted.recipe,
            out=out,
            max_minutes=max_minutes,
            dry_run=dry_run,
            elsewhere=data is not None,
            launcher=launcher_of(jobs, ray),
            wanted=wanted,
        )
