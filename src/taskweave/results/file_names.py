"""Files called after methods and columns."""

from __future__ import annotations

from collections.abc import Iterable


def file_name(name: str) -> str:
    """A name without what file systems refuse."""
    return "".join(c if c.isalnum() or c in "-_." else "-" for c in name)


def distinct_names(names: Iterable[str]) -> dict[str, str]:
    """{name: its file name}, no two alike, also where letters' case does not count."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        plain, number = file_name(name), 1
        told = plain
        while told.lower() in taken:
            number += 1
            told = f"{plain}-{number}"
        taken.add(told.lower())
        found[name] = told
    return found
