"""The papers' result tables as printed: files of facts that ship with the package, in ``recipes/printed``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, final

from taskweave.results.comparison import Direction

PAPERS = ("cross_connected", "cross_stitch", "nddr", "mt_unet", "pets")
"""Those whose tables are here, by the folder of their recipes."""


@final
@dataclass(frozen=True)
class PrintedColumn:
    """One column of a printed table. direction: None for a count. unit: the paper's, e.g. percent, fraction, degrees."""

    direction: Direction | None
    unit: str


@final
@dataclass(frozen=True)
class PrintedTable:
    """One table of a paper.

    paper: its authors and name.  label: "Table 4".  caption: what it shows, in our words.
    columns: by the paper's name.  rows: {row: {column: value}}, None where nothing is printed; trailing zeros are dropped.
    not_available: {row: columns} that say N/A instead of a dash.
    pictures: {part: how many pictures}, as far as the paper or the usual split says.
    doubts: what in the table, or between it and the text, does not agree.
    """

    paper: str
    label: str
    caption: str
    columns: Mapping[str, PrintedColumn]
    rows: Mapping[str, Mapping[str, float | None]]
    not_available: Mapping[str, tuple[str, ...]]
    pictures: Mapping[str, int]
    doubts: tuple[str, ...]


@cache
def printed_tables(paper: str) -> Mapping[str, PrintedTable]:
    """The tables of one of `PAPERS`, by key, e.g. "table4". Raises KeyError for another paper."""
    if paper not in PAPERS:
        raise KeyError(f"no printed tables of {paper!r}; there are those of {list(PAPERS)}")
    import yaml

    text = (files("taskweave.recipes") / "printed" / f"{paper}.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return {key: _table(content["paper"], table) for key, table in content["tables"].items()}


def printed_table(paper: str, key: str) -> PrintedTable:
    """One table. Raises KeyError with what there is."""
    tables = printed_tables(paper)
    if key not in tables:
        raise KeyError(f"no printed table {key!r} of {paper}; there are {list(tables)}")
    return tables[key]


def _table(paper: str, content: Mapping[str, Any]) -> PrintedTable:
    columns = {name: PrintedColumn(column["direction"], column["unit"]) for name, column in content["columns"].items()}
    rows = {row["name"]: dict(zip(columns, row["values"], strict=True)) for row in content["rows"]}
    return PrintedTable(
        paper=paper,
        label=content["label"],
        caption=content["caption"],
        columns=columns,
        rows=rows,
        not_available={row["name"]: tuple(row["not_available"]) for row in content["rows"] if "not_available" in row},
        pictures=content["pictures"],
        doubts=tuple(content.get("doubts", ())),
    )
