"""Which numbers of a table are the best of their column."""

from __future__ import annotations

from taskweave.reporting.tables import Column, Table


def best_places(table: Table) -> frozenset[tuple[int, int]]:
    """{(line, column)} of the best metrics and relative gains among the trained methods.

    All that read alike are best together: a difference that the rounding hides is none to point at. A column with one
    number has no best.
    """
    return frozenset(
        (line, place) for place, column in enumerate(table.columns) for line in _best_lines(table, column, place)
    )


def _best_lines(table: Table, column: Column, place: int) -> list[int]:
    if column.kind not in ("metric", "relative_gain"):
        return []
    entries = {i: line.entries[place] for i, line in enumerate(table.lines) if line.kind == "method"}
    values = {i: entry.value for i, entry in entries.items() if entry.value is not None}
    if len(values) < 2:
        return []
    sign = -1.0 if column.direction == "lower" else 1.0
    top = max(values, key=lambda i: sign * values[i])
    return [i for i in values if _number(entries[i].text) == _number(entries[top].text)]


def _number(text: str) -> str:
    return text.partition(" ")[0]
