"""The `taskweave` command."""

from __future__ import annotations

import sys

import typer

from taskweave.cli.compare import compare
from taskweave.cli.demo import demo
from taskweave.cli.inspect_data import inspect_data
from taskweave.cli.pack import pack
from taskweave.cli.parts import parts
from taskweave.cli.predict import predict
from taskweave.cli.recipes import recipes
from taskweave.cli.report import report
from taskweave.cli.run import run
from taskweave.cli.sweep import sweep

app = typer.Typer(
    name="taskweave",
    help=(
        "Weave single-task vision networks into one multi-task network, and see whether it helped.\n\n"
        "Begin with `taskweave demo`; `taskweave recipes` lists experiments, `taskweave compare` runs one. "
        "`taskweave parts` lists what a recipe can be made of."
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: loading rich would double the time that help takes
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(demo)
app.command()(compare)
app.command()(sweep)
app.command()(run)
app.command()(recipes)
app.command()(parts)
app.command()(report)
app.command()(predict)
app.command()(inspect_data)
app.command()(pack)


def main() -> None:
    """The console script: the app, with mistakes told in one message instead of a traceback."""
    from taskweave.cli.mistakes import told

    sys.exit(told(app))
