"""taskweave parts."""

from __future__ import annotations

from typing import Annotated

import typer

KindName = Annotated[str, typer.Argument(help="unit, network, data set, ...; left out: every kind.", show_default=False)]
PartName = Annotated[str, typer.Argument(help="A part of the kind, or your own: my_nets.py:unet.", show_default=False)]


def parts(
    kind: KindName = "",
    name: PartName = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: names, or the JSON schema of one part.")] = False,
) -> None:
    """List what a recipe can be made of: the kinds of parts, the parts of a kind, or one part with its options.

    A part is written as a name (`mirror`), or as a mapping with `use` and options (`{use: nddr, order: paper}`). A class or
    function of your own is a part too: `use: my_nets.py:unet`.

    \b
    taskweave parts                            every kind
    taskweave parts unit                       every unit, with what it is
    taskweave parts unit cross_stitch          its options, their types and defaults, the paper that it is from
    taskweave parts network my_nets.py:unet    the same of your own
    taskweave parts unit cross_stitch --json   its JSON schema
    """
    from rich.console import Console

    from taskweave.cli import part_tables as tables
    from taskweave.parts import find

    if not kind:
        tables.show_kinds(Console(), as_json=as_json)
        return
    chosen = tables.kind_named(kind)
    if not name:
        tables.show_kind(chosen, Console(), as_json=as_json)
    else:
        tables.show_part(chosen, find(name, chosen), name, Console(), as_json=as_json)
