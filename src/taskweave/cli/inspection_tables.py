"""An inspection of data on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from taskweave.data.inspecting import Inspection
from taskweave.data.inspecting.inspection import LAYOUTS
from taskweave.data.inspecting.result import LayoutFacts, SplitFacts

_NEAREST = 3
_NAMES = 12


def show(found: Inspection, console: Console) -> None:
    """What was found, or what was expected."""
    for layout in found.layouts:
        _show_layout(layout, console)
    if found.layouts:
        if found.unknown:
            console.print(f"not read here: {', '.join(found.unknown)}", style="dim", highlight=False)
        return
    _show_unknown(found, console)


def _show_layout(layout: LayoutFacts, console: Console) -> None:
    title = Text.assemble((layout.layout, "bold"), f"  tw.data.{layout.reader}, in recipes `kind: {layout.choice}`")
    console.print(title, soft_wrap=True)
    table = Table("split", "pictures", "target", "stored", "stored values", "read as", "values", "invalid", "")
    for split in layout.splits:
        for row in _rows(split):
            table.add_row(*row)
        table.add_section()
    if layout.splits:
        console.print(table)
        console.print(_how_many(layout.splits), style="dim", highlight=False)
    for note in layout.notes:
        console.print(f"note: {note}", highlight=False, soft_wrap=True, markup=False)
    for warned in layout.warnings:
        where = f" ({warned.split})" if warned.split else ""
        console.print(Text.assemble((f"warning: {warned.kind}{where}: ", "bold yellow"), warned.text), soft_wrap=True)
    if not layout.warnings:
        console.print("no known trap found", style="green")


def _rows(split: SplitFacts) -> list[tuple[str, ...]]:
    count = "?" if split.count is None else f"{split.count:,}"
    rows: list[tuple[str, ...]] = []
    for facts in split.targets:
        head = (split.split, count) if not rows else ("", "")
        invalid = "" if facts.invalid is None else f"{facts.invalid:.1%}"
        read = " ".join(facts.read.split()[:2]) if facts.stored else facts.read  # the shape is said once
        values = (facts.stored, _range(facts.stored_range), read, _range(facts.read_range), invalid, facts.remark)
        rows.append((*head, facts.target, *values))
    return rows or [(split.split, count, *("",) * 7)]


def _range(values: tuple[float, float] | None) -> str:
    return "" if values is None else f"{values[0]:.4g} .. {values[1]:.4g}"


def _how_many(splits: tuple[SplitFacts, ...]) -> str:
    read = ", ".join(f"{one.looked_at} of {one.count} ({one.split})" for one in splits if one.count is not None)
    return f"types, values and shares are from evenly spaced pictures: {read or 'none'}; --samples 0 reads all"


def _show_unknown(found: Inspection, console: Console) -> None:
    names = [*found.unknown[:_NAMES], *([f"and {len(found.unknown) - _NAMES} more"] if len(found.unknown) > _NAMES else [])]
    lines = [f"{found.path} is in no layout that taskweave reads; in it: {', '.join(names) or 'nothing'}"]
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
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _words(patterns: Sequence[str]) -> str:
    return ", ".join(pattern.replace("|", " or ") for pattern in patterns)
