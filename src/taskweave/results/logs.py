"""The curves of a run's CSV files: losses, weights, validations, and what the monitor of negative transfer saw."""

from __future__ import annotations

import csv
from pathlib import Path

Curves = dict[str, tuple[list[int], list[float]]]
"""{name: (steps, values)}"""
LOG, VALIDATION, MONITOR = "log.csv", "validation.csv", "monitor.csv"


def read_losses(log: Path) -> Curves:
    """{task: (steps, losses)} of a ``log.csv``."""
    return _columns(log, "loss.")


def read_weights(log: Path) -> Curves:
    """{task: (steps, weights)} of a ``log.csv``."""
    return _columns(log, "weight.")


def read_validations(table: Path) -> Curves:
    """{"<task> <metric>": (steps, values)} of a ``validation.csv``."""
    found: Curves = {}
    with table.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["step"] and row["value"]:
                _add(found, f"{row['task']} {row['metric']}", row["step"], row["value"])
    return found


def read_gaps(log: Path) -> Curves:
    """{task: (steps, gaps)} of a ``monitor.csv``; 0.1 is a loss 10 % above the reference's."""
    return _columns(log, "gap.")


def read_cosines(log: Path) -> dict[str, Curves]:
    """{"<a> and <b>": {place: (steps, cosines)}} of a ``monitor.csv``."""
    found: dict[str, Curves] = {}
    for column, curve in _columns(log, "cosine.").items():
        place, _, pair = column.rpartition(".")
        found.setdefault(pair.replace("|", " and "), {})[place] = curve
    return found


def _columns(log: Path, prefix: str) -> Curves:
    """{name: (steps, values)} of the columns ``<prefix><name>``; empty cells are left out."""
    found: Curves = {}
    with log.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            for column, text in row.items():
                # a short row has None for its missing cells; a long one has its surplus under None
                if isinstance(column, str) and column.startswith(prefix) and text and row["step"]:
                    _add(found, column.removeprefix(prefix), row["step"], text)
    return found


def _add(curves: Curves, name: str, step: str, value: str) -> None:
    steps, values = curves.setdefault(name, ([], []))
    steps.append(int(step))
    values.append(float(value))
