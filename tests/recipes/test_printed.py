"""Printed numbers: as the papers have them, beside the right rows and columns of ours, and never part of a hash."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from experiments.tiny import tiny

from taskweave.experiments.bench import Bench
from taskweave.experiments.columns import columns_of
from taskweave.experiments.plan import all_runs, entries
from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import NYUV2, PAPERS, Beside, at, printed_table, printed_tables
from taskweave.recipes.catalogue import find, names
from taskweave.results.comparison import Printed

KEYS = {"cross_connected": "p000", "cross_stitch": "p001", "nddr": "p002", "mt_unet": "p003", "pets": "p004"}
LABELS = ("method", "model", "init", "lr_scale", "alpha_S,alpha_D", "alpha,beta")
WITHOUT = {
    "cross_connected/penn_fudan",
    "cross_stitch/figure2",
    "demo",
    "demo_pets",
    "mt_unet/figure4",
    "pets/table1_sound",
}
"""Recipes that no paper prints a table of."""

FORMS = [(name, small) for name in names() for small in (False, True)]


def of_a_paper() -> list[tuple[str, bool]]:
    """The forms that a paper prints a table of."""
    return [(name, small) for name, small in FORMS if find(name, small=small).printed is not None]


def printed_of(name: str, *, small: bool = False) -> Printed:
    printed = find(name, small=small).printed
    assert printed is not None
    return printed


@pytest.mark.shared
def test_every_cell_is_the_papers(shared: Path) -> None:
    papers: dict[str, Any] = yaml.safe_load((shared / "spec" / "paper_tables.yaml").read_text())["papers"]
    cells = 0
    for paper, key in KEYS.items():
        theirs, ours = papers[key]["tables"], printed_tables(paper)
        assert list(ours) == list(theirs)
        for name, table in theirs.items():
            assert ours[name].label == table["label_in_text"]
            rows = list(ours[name].rows.items())
            assert len(rows) == len(table["rows"]), f"{paper} {name}: two rows of one name, or one left out"
            for (title, values), row in zip(rows, table["rows"], strict=True):
                label = next(row[word] for word in LABELS if word in row)
                numbers = {column: value for column, value in row.items() if column not in (*LABELS, "not_available")}
                assert (title, dict(values)) == (label, numbers)
                assert ours[name].not_available.get(title, ()) == tuple(row.get("not_available", ()))
                cells += sum(value is not None for value in numbers.values())
            directions = {column: said.direction for column, said in ours[name].columns.items() if said.direction}
            assert directions == table.get("direction", {})
    assert cells > 500  # else nothing was compared


def test_there_are_as_many_tables_and_rows_as_the_papers_have() -> None:
    tables = [(paper, table) for paper in PAPERS for table in printed_tables(paper).values()]
    numeric = [(paper, table) for paper, table in tables if table.rows]
    assert len({(paper, table.label) for paper, table in numeric}) == 20
    assert len(numeric) == 21  # A2 has two parts
    assert sum(len(table.rows) for _, table in numeric) == 108
    assert [table.label for _, table in tables if not table.rows] == ["Table 4"]  # of cross-stitch: pictures


def test_golden_numbers() -> None:
    """Typed from the papers' text, apart from the files."""
    assert printed_table("nddr", "table4").rows["Ours"]["normal_within_11_25"] == 53.5
    assert printed_table("cross_stitch", "table6").rows["Ensemble (detection)"]["detection_mAP"] == 46.1
    assert printed_table("mt_unet", "table2").rows["ST-UNet (Ours)"]["depth_abs"] == 0.1152
    assert printed_table("cross_connected", "table1").rows["Cross-connected (proposed)"]["kitti_MR"] == 48.61
    assert printed_table("pets", "table1").rows["MTL"]["det_IoU_test"] == 0.759
    assert printed_table("cross_stitch", "table2").rows["1000"]["normal_within_11_25"] == 39.2  # 39.0 in tables 3 and 5


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match=r"no printed tables of 'nddr2'; there are those of \['cross_connected'"):
        printed_tables("nddr2")
    with pytest.raises(KeyError, match=r"no printed table 'table9' of nddr; there are \['table1'"):
        printed_table("nddr", "table9")


def test_every_printed_table_has_a_recipe_and_the_others_say_so() -> None:
    assert {name for name in names() if find(name).printed is None} >= WITHOUT
    shown = {(name.split("/")[0], printed_of(name).table) for name, small in of_a_paper() if not small}
    assert shown == {(paper, table.label) for paper in PAPERS for table in printed_tables(paper).values()}
    assert {name for name, _ in of_a_paper()}.isdisjoint(WITHOUT)
    both = [name for name, _ in of_a_paper()]
    assert all(both.count(name) == 2 for name in both)  # full and small


@pytest.mark.parametrize(("name", "small"), of_a_paper())
def test_printed_numbers_stand_at_rows_and_columns_of_ours(name: str, small: bool) -> None:
    recipe, printed = find(name, small=small), printed_of(name, small=small)
    tasks, columns = Bench(recipe).shapes_only, {column.name: column.task for column in columns_of(recipe)}
    labels = [method.title for method in recipe.rows]
    assert set(printed.rows) <= set(labels)
    assert printed.rows or printed.table == "Table 4"
    for values in printed.rows.values():
        assert values, "a row without a number"
        for column, metrics in values.items():
            assert set(metrics) <= set(tasks[columns[column]].directions), f"{column} has no {list(metrics)}"


@pytest.mark.parametrize(("name", "small"), of_a_paper())
def test_better_is_the_same_way_in_the_paper(name: str, small: bool) -> None:
    """Columns are found again by their numbers, whatever the mapping says."""
    recipe, printed = find(name, small=small), printed_of(name, small=small)
    tasks, columns = Bench(recipe).shapes_only, {column.name: column.task for column in columns_of(recipe)}
    parts = [table for table in printed_tables(name.split("/")[0]).values() if table.label == printed.table]
    for label, values in printed.rows.items():
        cells = {
            (column, row[column])
            for table in parts
            for title, row in table.rows.items()
            if title in printed.names[label]
            for column in row
        }
        for at_column, metrics in values.items():
            for metric, value in metrics.items():
                found = {
                    c for c, cell in cells if cell is not None and min(abs(cell - value), abs(cell * 100 - value)) < 1e-9
                }
                directions = {table.columns[c].direction for table in parts for c in found if c in table.columns}
                assert tasks[columns[at_column]].directions[metric] in directions, f"{label} {at_column} {metric}"


def test_the_mapping_by_hand() -> None:
    nddr = printed_of("nddr/table4").rows
    assert nddr["NDDR"]["segmentation"] == {"mIoU": 36.2, "pixacc": 66.4}
    assert nddr["single"]["normals"]["mean"] == 15.6
    assert printed_of("nddr/table4", small=True).rows["shared until layer4"] == nddr["shared until pool5"]
    single = printed_of("cross_stitch/table5").rows["single"]  # of two printed rows
    assert single == {
        "normals": {"mean": 34.8, "median": 19.0, "within_11.25": 38.3, "within_22.5": 53.5, "within_30": 59.2},
        "segmentation": {"pixacc": 46.6, "mIoU": 18.4, "fwIU": 33.1},
    }
    pets = printed_of("pets/table1")
    assert pets.rows["MTL"]["segmentation (validation)"] == {"image mIoU": 79.9}  # printed .799
    assert "Printed as fraction; times 100 here." in pets.notes
    assert printed_of("cross_connected/table2").rows["share 4"]["detection on tomamae"] == {
        "MR, 9 points": 41.34,
        "MR, 17 points": 41.34,
    }
    assert "detection on kitti" not in printed_of("cross_connected/table1").rows["share 2"]  # N/A
    assert "the column kitti_MR" in printed_of("cross_connected/table1", small=True).only_printed


def test_it_is_no_part_of_a_hash() -> None:
    recipe = find("nddr/table4", small=True)
    without = recipe.model_copy(update={"printed": None})
    assert recipe.digest() == without.digest()
    assert [run.digest for run in all_runs(entries(recipe))] == [run.digest for run in all_runs(entries(without))]
    old = {key: value for key, value in tiny().dump().items() if key != "printed"}
    assert Recipe.model_validate(old) == tiny()


def test_table_4_of_cross_stitch_trains_nothing_of_its_own() -> None:
    for small in (False, True):
        shown = {run.digest for run in all_runs(entries(find("cross_stitch/table4", small=small)))}
        assert shown < {run.digest for run in all_runs(entries(find("cross_stitch/table1", small=small)))}
    five = {run.digest for run in all_runs(entries(find("cross_stitch/table5", small=True)))}
    four = [run.digest for run in all_runs(entries(find("cross_stitch/table4", small=True))) if run.schedule == "connected"]
    assert [digest in five for digest in four] == [True, False, False]


def test_a_column_of_another_table_is_left_out_and_told() -> None:
    beside = Beside("nddr", ("table4",), rows={"single": ("Sing.",)}, columns={"seg_PAcc": at("segmentation", "pixacc")})
    printed = beside.printed(tiny(), tiny(), small=False)
    assert printed.rows == {"single": {"segmentation": {"pixacc": 64.1}}}
    assert {"the row Ours", "the column seg_mIoU"} <= set(printed.only_printed)
    assert set(NYUV2) > set(printed_table("nddr", "table4").columns)
