"""The papers' result tables as printed (files of facts in ``recipes/printed``), and putting one beside a recipe of ours."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, TypeVar, cast, final

from taskweave.experiments.recipe import Recipe
from taskweave.experiments.set_up import set_up
from taskweave.results.comparison import Direction, Printed

MakesRecipe = TypeVar("MakesRecipe", bound=Callable[..., Recipe])
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


@functools.cache
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


Rows = Mapping[str, tuple[str, ...]]
"""{label of ours: the rows of the paper whose numbers are its}."""


@final
@dataclass(frozen=True)
class Place:
    """Where a printed column goes. factor: from the paper's unit to ours, 100 for a fraction that is percent here."""

    column: str
    metric: str
    factor: float = 1.0


Columns = Mapping[str, tuple[Place, ...]]
"""{column of the paper: its places among ours}; several where the paper leaves open which it is."""


def at(column: str, *metrics: str, factor: float = 1.0) -> tuple[Place, ...]:
    """The places of a printed column that go by one column of ours."""
    return tuple(Place(column, metric, factor) for metric in metrics)


NYUV2: Columns = {
    "normal_mean_deg": at("normals", "mean"),
    "normal_median_deg": at("normals", "median"),
    "normal_within_11_25": at("normals", "within_11.25"),
    "normal_within_22_5": at("normals", "within_22.5"),
    "normal_within_30": at("normals", "within_30"),
    "seg_mIoU": at("segmentation", "mIoU"),
    "seg_PAcc": at("segmentation", "pixacc"),
    "seg_mIU": at("segmentation", "mIoU"),
    "seg_pixacc": at("segmentation", "pixacc"),
    "seg_fwIU": at("segmentation", "fwIU"),
}
"""Of segmentation and normals, as the cross-stitch and the NDDR paper call their columns."""


@final
@dataclass(frozen=True)
class Beside:
    """A decorator of a recipe's function: the recipes that it makes say what the paper prints.

    paper, tables: as `printed_table` finds them; several parts of one printed table are joined.
    rows: for both forms; labels that a form does not have are left out of it.
    columns, small_columns: of the full size, and of the small form where that has others.
    notes: what is defined otherwise in the paper.  small_notes: also told of the small form.
    """

    paper: str
    tables: tuple[str, ...]
    rows: Rows
    columns: Columns
    small_columns: Columns | None = None
    notes: tuple[str, ...] = ()
    small_notes: tuple[str, ...] = ()

    def __call__(self, recipe: MakesRecipe) -> MakesRecipe:
        @functools.wraps(recipe)
        def made(**options: Any) -> Recipe:
            ours, small = recipe(**options), bool(options.get("small", False))
            full = recipe() if small or options else ours
            return ours.model_copy(update={"printed": self.printed(ours, full, small=small)})

        return cast(MakesRecipe, made)

    def printed(self, ours: Recipe, full: Recipe, *, small: bool) -> Printed:
        """What a recipe says of it. full: that of full size, whose set-up counts as the paper's."""
        tables = [printed_table(self.paper, key) for key in self.tables]
        columns = self.small_columns if small and self.small_columns is not None else self.columns
        titles = [row.title for row in ours.rows]
        rows = {label: names for label, names in self.rows.items() if label in titles}
        return Printed(
            paper=tables[0].paper,
            table=tables[0].label,
            caption="; ".join(table.caption for table in tables),
            rows={label: _values(tables, names, columns) for label, names in rows.items()},
            names=rows,
            only_printed=tuple(_left_out(tables, rows, columns)),
            set_up=set_up(full),
            pictures=dict(tables[0].pictures),
            notes=(*self.notes, *(self.small_notes if small else ()), *_units(tables, columns)),
            doubts=tuple(doubt for table in tables for doubt in table.doubts),
        )


def _values(tables: Iterable[PrintedTable], names: Iterable[str], columns: Columns) -> dict[str, dict[str, float]]:
    """The numbers of some printed rows, each at its places."""
    found: dict[str, dict[str, float]] = {}
    for table in tables:
        for name in names:
            for column, value in table.rows.get(name, {}).items():
                for place in columns.get(column, ()) if value is not None else ():
                    # 0.813 * 100 has a rounding error in its last digit
                    found.setdefault(place.column, {})[place.metric] = round(cast(float, value) * place.factor, 6)
    return found


def _left_out(tables: Iterable[PrintedTable], rows: Rows, columns: Columns) -> Iterable[str]:
    """Rows and columns of the paper that have no place here."""
    taken = {name for names in rows.values() for name in names}
    for table in tables:
        yield from (f"the row {name}" for name in table.rows if name not in taken)
        yield from (f"the column {name}" for name in table.columns if name not in columns)


def _units(tables: Iterable[PrintedTable], columns: Columns) -> Iterable[str]:
    """Which numbers were brought to our units."""
    changed = {
        (column.unit, place.factor)
        for table in tables
        for name, column in table.columns.items()
        for place in columns.get(name, ())
        if place.factor != 1.0
    }
    return [f"Printed as {unit}; times {factor:g} here." for unit, factor in sorted(changed)]
