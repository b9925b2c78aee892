"""taskweave recipes."""

from __future__ import annotations

from typing import Annotated

import typer

from taskweave.cli.options import Small


def recipes(
    show: Annotated[str, typer.Option("--show", help="Print this recipe as YAML, every field: a file to begin with.")] = "",
    small: Small = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of recipes, for editors.")] = False,
) -> None:
    """List the recipes that come with taskweave, or print one.

    \b
    taskweave recipes --show demo > my.yaml     a file to begin your own with
    taskweave compare my.yaml                   and to run
    """
    if schema:
        import json

        from taskweave.evaluation.recipe import Recipe

        typer.echo(json.dumps(Recipe.model_json_schema(), indent=2))
        return
    from taskweave.recipes.catalogue import find, names, summary

    if show:
        typer.echo(find(show, small=small).to_yaml(), nl=False)
        return
    width = max(len(name) for name in names())
    for name in names():
        typer.echo(f"{name:{width}}  {summary(name)}")
