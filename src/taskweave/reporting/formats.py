"""A table as Markdown and as CSV."""

from __future__ import annotations

import csv
import io

from taskweave.reporting.tables import Column, Entry, Line, Table


def to_markdown(table: Table) -> str:
    """A GitHub-flavoured table with its remarks and notes below; the numbers are rounded."""
    head = ["method", "seeds", *(column.head for column in table.columns)]
    rule = [":--", *("--:" for _ in head[1:])]
    rows = [[line.method, _seeds(line), *(_marked(entry) for entry in line.entries)] for line in table.lines]
    text = [f"## {_plain(table.title)}", "", *(_row(cells) for cells in (head, rule, *rows)), ""]
    text += [f"- {_plain(remark)}" for remark in table.remarks]
    text += [f"- <sup>{letter}</sup> {_plain(reason)}" for letter, reason in table.notes.items()]
    return "\n".join(text) + "\n"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(_plain(cell) for cell in cells) + " |"


def _plain(text: str) -> str:
    """Text that stays in its cell and its line."""
    return " ".join(text.split()).replace("|", "\\|")


def _seeds(line: Line) -> str:
    return str(line.seeds) if line.seeds else ""


def _marked(entry: Entry) -> str:
    return entry.text + (f" <sup>{', '.join(entry.marks)}</sup>" if entry.marks else "")


def to_csv(table: Table) -> str:
    """One line per method, numbers unrounded, empty where there is none; marks in words in the last column.

    Columns: method, seeds, then for every metric "task metric", "task metric spread" and "task metric gain", then
    relative_gain (percent), parameters, flops, seconds_per_step, marks.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    names = [name for column in table.columns for name in _names(column)]
    writer.writerow(["method", "seeds", *names, "marks"])
    for line in table.lines:
        pairs = list(zip(table.columns, line.entries, strict=True))
        numbers = [number for column, entry in pairs for number in _numbers(column, entry)]
        reasons = [
            f"{column.task} {column.metric}: {table.notes[letter]}" for column, entry in pairs for letter in entry.marks
        ]
        writer.writerow([line.method, line.seeds or "", *numbers, "; ".join(reasons)])
    return text.getvalue()


def _names(column: Column) -> list[str]:
    match column.kind:
        case "metric":
            return [f"{column.task} {column.metric}", f"{column.task} {column.metric} spread"]
        case "gain":
            return [f"{column.task} {column.metric} gain"]
        case kind:
            return [kind]


def _numbers(column: Column, entry: Entry) -> list[str]:
    values = [entry.value, entry.spread] if column.kind == "metric" else [entry.value]
    whole = column.kind in ("parameters", "flops")
    return ["" if value is None else str(int(value)) if whole else repr(value) for value in values]
