"""taskweave recipes: every recipe with its paper, table, data and cost; quick, since nothing is built."""

import io
import json
import subprocess
import sys

import pytest
from rich.console import Console

from taskweave.cli.recipe_table import recipe_tables, remarks
from taskweave.recipes.catalogue import names
from taskweave.recipes.listing import FormCost, Listed, NeededData, NetworkCost, listed

LOADED = """
import sys
from typer.testing import CliRunner
from taskweave.cli.app import app
done = CliRunner().invoke(app, ["recipes", *sys.argv[1:]])
assert done.exit_code == 0, done.output
heavy = [name for name in ("torch", "taskweave.experiments.recipe") if name in sys.modules]
print(heavy, done.output)
"""


def on_screen(recipes: tuple[Listed, ...], width: int = 160) -> str:
    text = io.StringIO()
    console = Console(file=text, width=width)
    for table in recipe_tables(recipes):
        console.print(table)
    return text.getvalue()


def form(*, data: tuple[NeededData, ...] = (), minutes: float | None = None, cores: int = 0) -> FormCost:
    return FormCost("x", data, 9, 160_009, 1_234_000_000_000_000_000, minutes, cores, {"single": NetworkCost(1, 2)})


def test_a_line_says_table_data_and_cost() -> None:
    full = form(data=(NeededData("data", "NYUv2", "nyuv2_lists"),))
    small = form(data=(NeededData("data", "NYUv2", "nyuv2_folder"),), minutes=11.9, cores=2)
    one = Listed("nddr/table4", "Methods.", "Gao et al., NDDR-CNN", "Table 4", full, small)
    told = " ".join(on_screen((one,), width=200).split())
    assert told.startswith("Gao et al., NDDR-CNN recipe table data [layout] full size --small nddr/table4 Table 4")
    assert "NYUv2 [nyuv2_lists, small: nyuv2_folder]" in told
    assert "9 / 160 k / 1.23 EFLOP 9 / 160 k / 1.23 EFLOP / 12 min on 2 cores" in told


def test_what_no_paper_prints_and_what_was_only_estimated_is_told() -> None:
    ours = NeededData("data", "generated scenes", "scenes", ours=True)
    told = " ".join(
        on_screen((Listed("demo", "Demo.", "", "", None, form(data=(ours,), minutes=23.0)),), width=200).split()
    )
    assert "of no paper" in told and "demo – generated scenes – 9 / 160 k / 1.23 EFLOP / ~23 min" in told
    assert any("– where no paper prints one" in remark for remark in remarks())
    assert any("~ as --dry-run expects" in remark for remark in remarks())


@pytest.mark.parametrize("width", [80, 160])
def test_every_recipe_is_there_whatever_the_width(width: int) -> None:
    text = on_screen(listed(), width)
    assert all(name in text for name in names())
    assert max(len(line) for line in text.splitlines()) <= width


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_the_list_is_quick(options: tuple[str, ...]) -> None:
    """Time is measured by hand; what would cost it is not even imported."""
    done = subprocess.run([sys.executable, "-c", LOADED, *options], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    heavy, _, output = done.stdout.partition("] ")
    assert heavy == "["
    if options:
        found = {one["name"]: one for one in json.loads(output)}
        assert set(found) == set(names())
        assert found["nddr/table4"]["table"] == "Table 4" and found["demo"]["table"] == ""
        assert found["nddr/table4"]["full"]["networks"]["single normals, seed 1234"]["parameters"] > 20_000_000
