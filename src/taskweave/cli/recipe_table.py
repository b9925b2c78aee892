"""The recipes of taskweave as tables in the terminal, one for each paper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.table import Table
from rich.text import Text

from taskweave.recipes.listing import FormCost, Listed
from taskweave.results.numbers import short

NO_PAPER = "of no paper"


def recipe_tables(recipes: Sequence[Listed]) -> Iterator[Table]:
    """Name, printed table, data and cost of both forms; as wide as the terminal, columns in line from paper to paper."""
    names = max(len(one.name) for one in recipes)
    ordered = sorted(recipes, key=lambda one: "/" in one.name)  # the demos first
    for _, group in groupby(ordered, key=lambda one: one.name.partition("/")[0] if "/" in one.name else ""):
        some = list(group)
        paper = next((one.paper for one in some if one.paper), NO_PAPER)
        yield _table(some, paper, names)


def _table(recipes: Sequence[Listed], paper: str, width: int) -> Table:
    table = Table(title=Text(paper), title_justify="left", title_style="bold", box=None, pad_edge=False, expand=True)
    table.add_column("recipe", no_wrap=True, width=width)
    table.add_column("table", width=8)
    table.add_column(Text("data [layout]"), ratio=5, overflow="fold")
    table.add_column("full size", ratio=3, overflow="fold")
    table.add_column("--small", ratio=4, overflow="fold")
    for one in recipes:
        full = "–" if one.full is None else _cost(one.full)
        table.add_row(*(Text(cell) for cell in (one.name, one.table or "–", _data(one), full, _small(one.small))))
    return table


def _data(one: Listed) -> str:
    small = _needed(one.small)
    if one.full is None or _needed(one.full) == small:
        return _said(small)
    full = _needed(one.full)
    if list(full) == list(small):
        return _said({title: f"{kind}, small: {small[title]}" for title, kind in full.items()})
    return f"{_said(full)}; small: {_said(small)}"


def _needed(form: FormCost) -> dict[str, str]:
    """{title: layout}; "" for what comes with taskweave."""
    return {data.title: "" if data.ours else data.kind for data in form.data}


def _said(needed: dict[str, str]) -> str:
    return ", ".join(f"{title} [{kind}]" if kind else title for title, kind in needed.items())


def _cost(form: FormCost) -> str:
    return f"{form.trainings} / {short(form.steps)} / {short(form.training_flops)}FLOP"


def _small(form: FormCost) -> str:
    if form.minutes is None:
        return _cost(form)
    cores = f" on {form.cores} cores" if form.cores > 1 else ""
    return f"{_cost(form)} / {'' if form.cores else '~'}{form.minutes:.0f} min{cores}"


def remarks() -> tuple[str, ...]:
    """How to read them, and what to do next."""
    return (
        "table: the printed one whose numbers stand beside ours; – where no paper prints one.",
        "cost: trainings / steps / operations, forward and backward, of one seed with nothing stored. Minutes without a "
        "GPU, on one core unless said: as run (docs/results); ~ as --dry-run expects them.",
        "layout: `taskweave inspect-data FOLDER` says which one a folder has; --set data.use=... takes another.",
        "taskweave compare nddr/table4 --small --data FOLDER runs one; --show nddr/table4 prints it.",
    )
