"""An inspection of data on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from taskweave.data.inspection import Inspection
from taskweave.data.inspection.facts import LayoutFacts, SplitFacts, TargetFacts
from taskweave.data.inspection.inspection import LAYOUTS

_NEAREST = 3
_NAMES = 12


def show(found: Inspection, console: Console) -> None:
    """What was found, or what was expected."""
    for layout in found.layouts:
        _show_layout(layout, console)
    if found.layouts:
        if found.unknown:
            _say(console, f"not read here: {_listed(found.unknown)}", style="dim")
        return
    _show_unknown(found, console)


def _say(console: Console, text: str | Text, style: str = "") -> None:
    """A line as it is: names of files are neither markup nor commands to the terminal."""
    plain = text if isinstance(text, Text) else Text(text, style=style)
    plain.plain = "".join(one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in plain.plain)
    console.print(plain, soft_wrap=True, highlight=False)


def _show_layout(layout: LayoutFacts, console: Console) -> None:
    title = Text.assemble((layout.layout, "bold"), f"  tw.data.{layout.reader}, in recipes `use: {layout.reader}`")
    _say(console, title)
    for split in layout.splits:
        _show_split(split, console)
    if layout.splits:
        _say(console, _how_many(layout.splits), style="dim")
    for note in layout.notes:
        _say(console, f"note: {note}")
    for warned in layout.warnings:
        where = f" ({warned.split})" if warned.split else ""
        _say(console, Text.assemble((f"warning: {warned.kind}{where}: ", "bold yellow"), warned.text))
    if not layout.warnings:
        _say(console, "no known trap found", style="green")


def _show_split(split: SplitFacts, console: Console) -> None:
    """A line or two for each target: as wide a table as they would make is cut on a terminal of 80 columns."""
    count = "" if split.count is None else f"{split.count:,} pictures"
    _say(console, Text.assemble((split.split, "bold"), f": {count or 'cannot be counted'}"))
    grid = Table.grid(padding=(0, 2), pad_edge=True)
    for facts in split.targets:
        stored = [f"stored  {facts.stored}, {_range(facts.stored_range)}".removesuffix(", ")] if facts.stored else []
        grid.add_row(Text(facts.target), Text("\n".join([*stored, f"read    {_read(facts)}"])))
    console.print(grid, highlight=False)


def _read(facts: TargetFacts) -> str:
    kind = " ".join(facts.read.split()[:2]) if facts.stored else facts.read  # the shape is said once
    values = f"{kind}, {_range(facts.read_range)}".removesuffix(", ")
    invalid = "" if facts.invalid is None else f"{facts.invalid:.1%} invalid"
    return "; ".join(part for part in (values, invalid, facts.remark) if part)


def _range(values: tuple[float, float] | None) -> str:
    return "" if values is None else f"{values[0]:.4g} .. {values[1]:.4g}"


def _how_many(splits: tuple[SplitFacts, ...]) -> str:
    read = ", ".join(f"{one.looked_at} of {one.count} ({one.split})" for one in splits if one.count is not None)
    return f"types, values and shares are from evenly spaced pictures: {read or 'none'}; --samples 0 reads all"


def _show_unknown(found: Inspection, console: Console) -> None:
    lines = [f"{found.path} is in no layout that taskweave reads; in it: {_listed(found.unknown) or 'nothing'}"]
    lines += [
        f"its folder {name} is ({', '.join(layouts)}): taskweave inspect-data {found.path}/{name}"
        for name, layouts in found.inside.items()
    ]
    for near in found.nearly[:_NEAREST]:
        lines.append(f"for {near.layout} it has {_words(near.has)}; expected also {_words(near.lacks)}")
    if not found.nearly and not found.inside:
        lines.append("expected one of:")
        lines += [f"  {layout.name}: {_words(layout.needs)}" for layout in LAYOUTS]
    for line in lines:
        _say(console, line)


def _listed(names: Sequence[str]) -> str:
    """The first of them, and how many more."""
    return ", ".join([*names[:_NAMES], *([f"and {len(names) - _NAMES} more"] if len(names) > _NAMES else [])])


def _words(patterns: Sequence[str]) -> str:
    return ", ".join(pattern.replace("|", " or ") for pattern in patterns)
