"""Parts on the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from taskweave.experiments import rooms as rooms  # where the kinds are stated
from taskweave.parts import KINDS, known, unknown
from taskweave.parts.described import about, described, first_line, schema_of, source, with_references
from taskweave.parts.words import snake_case


def kind_named(name: str) -> type:
    """The kind that the command line calls so. Raises ValueError with what there is."""
    by_name = {said.name: kind for kind, said in KINDS.items()}
    words = snake_case(name).replace("_", " ").replace("-", " ")
    if words not in by_name:
        raise ValueError(unknown(f"kind {name!r}", words, list(by_name)))
    return by_name[words]


def show_kinds(console: Console, *, as_json: bool) -> None:
    """Every kind with the names of its parts."""
    if as_json:
        typer.echo(json.dumps({said.name: list(known(kind)) for kind, said in KINDS.items()}, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("kind", no_wrap=True)
    table.add_column("is called with", no_wrap=True)
    table.add_column("parts", overflow="fold")
    for kind, said in KINDS.items():
        table.add_row(Text(said.name, "bold"), Text(f"({', '.join(said.given)})"), Text(", ".join(known(kind))))
    console.print(table)
    console.print("taskweave parts KIND says what each is; taskweave parts KIND NAME its options.", style="dim")


def show_kind(kind: type, console: Console, *, as_json: bool) -> None:
    """Every part of a kind with the first line of its docstring."""
    there = known(kind)
    if as_json:
        typer.echo(json.dumps({name: first_line(call) for name, call in there.items()}, indent=2))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, call in there.items():
        table.add_row(Text(name, "bold"), Text(first_line(call)))
    console.print(table)
    said = KINDS[kind]
    example = f"def NAME({', '.join([*said.given, '*', 'OPTIONS'])}) -> {kind.__name__}"
    console.print(f"One of your own: a function {example}, or a subclass.", style="dim", highlight=False, markup=False)


def show_part(kind: type, call: Callable[..., Any], name: str, console: Console, *, as_json: bool) -> None:
    """One part: what it is, where it is from, and its options."""
    if as_json:
        typer.echo(json.dumps(with_references(schema_of(call, name)), indent=2))
        return
    console.print(Text.assemble((name, "bold"), f"  {KINDS[kind].name}, {call.__module__}:{call.__qualname__}"))
    console.print(Padding(Text(about(call)), (1, 0, 1, 2)))
    if source(call):
        console.print(Padding(Text(f"from: {source(call)}"), (0, 0, 1, 2)))
    table = Table(box=None, pad_edge=False)
    table.add_column("option", no_wrap=True)
    for column in ("takes", "default", "what"):
        table.add_column(column, overflow="fold")
    for one in described(call):
        default = Text("must be given", "bold") if one.default is None else Text(one.default)
        table.add_row(Text(one.name, "bold"), Text(one.type), default, Text(one.what))
    console.print(table if table.row_count else Text("no options"))
