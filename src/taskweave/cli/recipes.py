"""taskweave recipes."""

from __future__ import annotations

from typing import Annotated

import typer

from taskweave.cli.options import Small


def recipes(
    show: Annotated[str, typer.Option("--show", help="Print this recipe as YAML, every field: a file to begin with.")] = "",
    small: Small = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of recipes, for editors.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the list as JSON, with the size of every network.")
    ] = False,
) -> None:
    """List the recipes that come with taskweave with the table of their paper, data and cost, or print one.

    \b
    taskweave recipes --show demo > my.yaml     a file to begin your own with
    taskweave compare my.yaml                   and to run
    """
    if schema:
        import json

        from taskweave.experiments.schema import recipe_schema

        typer.echo(json.dumps(recipe_schema(), indent=2))
    elif show:
        from taskweave.recipes.catalogue import find

        typer.echo(find(show, small=small).to_yaml(), nl=False)
    else:
        _list(as_json=as_json)


def _list(*, as_json: bool) -> None:
    """From a file that ships with the package: nothing is built, so that it is quick."""
    from taskweave.recipes.listing import listed, plain

    if as_json:
        import json

        typer.echo(json.dumps([plain(one) for one in listed()], indent=2))
        return
    from rich.console import Console

    from taskweave.cli.recipe_table import recipe_tables, remarks

    console = Console()
    for table in recipe_tables(listed()):
        console.print(table)
    for remark in remarks():
        console.print(remark, style="dim", highlight=False, markup=False)
