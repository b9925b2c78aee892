"""A table as Markdown and as CSV, and text that shows what it holds."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from textwrap import shorten

from taskweave.reporting.tables import Column, Entry, Line, Table

_KEPT = "\n\t"
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def visible(text: str) -> str:
    r"""The text with control characters (of writing direction too) written out, e.g. as ``\u202e``; lines stay lines."""
    hidden = {c for c in text if c not in _KEPT and unicodedata.category(c) in _HIDDEN}
    return text.translate({ord(c): f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}" for c in hidden})


NOTE = 60
"""Letters of a note that a cell has room for; CSV and comparison.json have it whole."""
_READ_AS_MARKUP = re.compile(r"""[\\`*<|~$&] | (?<=\])[(\[:] | (?<![^\W_])_ | _(?![^\W_])""", re.VERBOSE)
"""What Markdown takes for tags, links, emphasis, code, mathematics or the end of a cell; not the underscores in a word."""


def to_markdown(table: Table) -> str:
    """A GitHub-flavoured table with its remarks and notes below; the numbers are rounded. Names are text, never markup."""
    head = ["method", "seeds", *(markdown_text(column.head) for column in table.columns)]
    rule = [":--", *("--:" for _ in head[1:])]
    rows = [[_named(line), line.counted, *(_marked(entry) for entry in line.entries)] for line in table.lines]
    verdict = [markdown_text(" ".join(table.verdict)), ""] if table.verdict else []
    text = [f"## {markdown_text(table.title)}", "", *verdict, *(_row(cells) for cells in (head, rule, *rows)), ""]
    text += [f"- {markdown_text(remark)}" for remark in table.remarks]
    text += [f"- <sup>{letter}</sup> {markdown_text(reason)}" for letter, reason in table.notes.items()]
    return "\n".join(text) + "\n"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def markdown_text(text: str) -> str:
    """Any text as Markdown that shows it, in one line."""
    return _READ_AS_MARKUP.sub(r"\\\g<0>", visible(" ".join(text.split())))


def _named(line: Line) -> str:
    return markdown_text(f"{line.method} ({shorten(line.note, NOTE, placeholder='…')})" if line.note else line.method)


def _marked(entry: Entry) -> str:
    marks = f" <sup>{', '.join(entry.marks)}</sup>" if entry.marks else ""
    return entry.text + (f" {entry.interval}" if entry.interval else "") + marks


def to_csv(table: Table) -> str:
    """One line per method, numbers unrounded, empty where there is none; marks in words in the last column.

    Columns: method, seeds (that there are results of), then for every metric "task metric", "task metric spread" and "task
    metric gain" with "... low" and "... high", the ends of its interval; then "relative_gain task_mean" and "relative_gain
    flat_mean" (percent) with theirs, parameters, flops, seconds_per_step, marks. Failed seeds are among the marks.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    names = [name for column in table.columns for name in _names(column)]
    writer.writerow(["method", "seeds", *names, "marks"])
    for line in table.lines:
        pairs = list(zip(table.columns, line.entries, strict=True))
        numbers = [number for column, entry in pairs for number in _numbers(column, entry)]
        reasons = [f"{_what(column)}: {table.notes[letter]}" for column, entry in pairs for letter in entry.marks]
        notes = [line.note] if line.note else []
        writer.writerow([line.method, line.seeds or "", *numbers, "; ".join([*notes, *reasons])])
    return text.getvalue()


def _what(column: Column) -> str:
    if column.kind in ("metric", "gain"):
        return f"{column.task} {column.metric}" + (" gain" if column.kind == "gain" else "")
    return f"{column.kind} {column.metric}".strip()


_MORE = {"metric": ("spread",), "gain": ("low", "high"), "relative_gain": ("low", "high")}
"""What a CSV has of an entry beside its value."""


def _names(column: Column) -> list[str]:
    name = _what(column)
    return [name, *(f"{name} {more}" for more in _MORE.get(column.kind, ()))]


def _numbers(column: Column, entry: Entry) -> list[str]:
    values = [entry.value, *(getattr(entry, more) for more in _MORE.get(column.kind, ()))]
    whole = column.kind in ("parameters", "flops")
    return ["" if value is None else str(int(value)) if whole else repr(float(value)) for value in values]
