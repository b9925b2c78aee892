"""taskweave demo."""

from __future__ import annotations

from pathlib import Path

from taskweave.cli.options import Out, Seeds, Set


def demo(out: Out = Path("taskweave-demo"), seeds: Seeds = "", settings: Set = None) -> None:
    """Compare four ways of joining two tasks on generated rooms: no download, under 4 minutes on two cores.

    Ends with the table; pictures of input, target and prediction are in the output folder. Started again, it shows the
    stored results at once.
    """
    from taskweave.cli.mistakes import resumable

    with resumable():
        from taskweave.cli.options import chosen
        from taskweave.cli.showing import compare_and_show

        recipe = chosen("demo", small=False, data=None, seeds=seeds, settings=settings)
        compare_and_show(recipe, out=out)
