"""The numbers of a page are those of comparison.json, of the CSV, of Markdown and of the terminal."""

import csv
import io
import json
import math
from statistics import fmean, stdev

import pytest
from reporting.compared import DIRECTIONS, by_hand, folder_with
from reporting.parsed_page import check
from rich.console import Console

from taskweave.reporting.formats import to_csv, to_markdown
from taskweave.reporting.page import page_of
from taskweave.reporting.tables import table_of
from taskweave.reporting.terminal import to_rich
from taskweave.results.gains import gains_of

RESULT = by_hand(gains=())
IN_CSV = {
    "relative gain, % (task_mean)": "relative_gain task_mean",
    "relative gain, % (flat_mean)": "relative_gain flat_mean",
    "FLOPs": "flops",
    "s/step": "seconds_per_step",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """With every gain that the rows have."""
    return folder_with(tmp_path_factory.mktemp("numbers") / "c", RESULT)


@pytest.fixture(scope="module")
def page(place):
    return check(page_of(place))


def sortable(page):
    """{method: {head: cell}} of the table on screen; heads as they are spoken."""
    table = page.sortable
    heads = [one.attributes["data-spoken"] for one in table.all("thead")[0].all("button")]
    rows = [row.inside for body in table.all("tbody") for row in body.inside]
    return {row[0].attributes["data-value"]: dict(zip(heads, row, strict=True)) for row in rows}


def as_number(text):
    return float(text) if text else None


def number(cell):
    """What a cell shows, without the letters of its notes."""
    marks = "".join(one.words for one in cell.all("sup"))
    return cell.words.removesuffix(marks).strip()


def test_page_and_json_agree(place, page):
    """Means and spreads are computed from the file's rows, by definition."""
    rows = json.loads((place / "comparison.json").read_text())["rows"]
    shown = sortable(page)
    for method in dict.fromkeys(row["method"] for row in rows):
        for task, metrics in DIRECTIONS.items():
            for metric in metrics:
                values = [row["metrics"][task][metric] for row in rows if row["method"] == method]
                values = [value for value in values if value is not None]
                cell = shown[method][f"{task} {metric}"]
                assert float(cell.attributes["data-value"]) == pytest.approx(fmean(values), rel=1e-12)
                mean, spread = (float(part) for part in number(cell).split(" ± "))
                assert mean == pytest.approx(fmean(values), abs=0.0051)
                assert spread == pytest.approx(stdev(values), abs=0.0051)


def test_page_and_csv_agree(place, page):
    shown, count = sortable(page), 0
    for line in csv.DictReader(io.StringIO(to_csv(table_of(RESULT)))):
        for head, cell in shown[line["method"]].items():
            if head != "method":
                value = cell.attributes["data-value"]
                assert as_number(line[IN_CSV.get(head, head)]) == as_number(value), (line["method"], head)
                count += value != ""
    assert count == 3 * (1 + 2 + 3) + 2 * (2 + 2) + 2, "seeds, metrics, cost; gains of two methods; the constant's"


@pytest.mark.parametrize("kind", ["markdown", "terminal"])
def test_page_markdown_and_terminal_agree(place, page, kind):
    table = table_of(RESULT)
    console = Console(width=400, file=io.StringIO(), force_terminal=False)
    console.print(to_rich(table))
    text = to_markdown(table) if kind == "markdown" else console.file.getvalue()
    for method, cells in sortable(page).items():
        (line,) = (one for one in text.splitlines() if one[:1] in ("|", "│") and one.strip("|│ ").startswith(f"{method} "))
        for head, cell in cells.items():
            assert head == "method" or number(cell) in line, (method, head, line)


def test_every_gain_of_the_file_is_on_the_page_with_its_interval_and_its_seeds(tmp_path):
    result = by_hand(gains=gains_of(RESULT))
    place = folder_with(tmp_path / "c", result)
    content = json.loads((place / "comparison.json").read_text())["gains"]
    groups = [one for one in check(page_of(place)).all("div") if one.attributes.get("aria-label", "").startswith("Gains: ")]
    shown = {
        (group.attributes["aria-label"], row.inside[0].words): [cell.words for cell in row.inside[1:]]
        for group in groups
        for row in group.all("tr")[1:]
    }
    assert len(shown) == len(content) == 2 * (2 + 2), "of two methods: two metrics, two averages"
    for gain in content:
        kind = f"{gain['task']} {gain['metric']}" if gain["kind"] == "metric" else f"percent, {gain['kind']}:"
        (cells,) = (cells for (title, method), cells in shown.items() if kind in title and method == gain["method"])
        decimals = 4 if gain["task"] == "depth" else 2
        value, interval, told, seeds = cells
        assert value == f"{gain['value']:+.{decimals}f}"
        assert interval == f"[{gain['low']:+.{decimals}f}, {gain['high']:+.{decimals}f}]"
        assert told == {True: "yes", False: "no", None: "not said"}[gain["distinguishable"]]
        assert seeds == " ".join(f"seed {one['seed']}: {one['value']:+.{decimals}f}" for one in gain["seeds"])


def test_pieces_for_paper_hold_every_number_of_the_screens_table(page):
    cells = [cell.words for row in sortable(page).values() for head, cell in row.items() if head not in ("method", "seeds")]
    (paper,) = (one for one in page.all("div") if one.attributes.get("class") == "paper")
    pieces = [row.inside[2:] for table in paper.all("table") for body in table.all("tbody") for row in body.inside]
    printed = [cell.words for row in pieces for cell in row]
    assert sorted(cells) == sorted(printed)


def test_the_best_of_a_column_is_bold(page):
    bold = {
        (method, head) for method, cells in sortable(page).items() for head, cell in cells.items() if cell.all("strong")
    }
    # mIoU: means 33, 36, 32; abs, lower is better: .6, .56, .5
    assert {pair for pair in bold if pair[1] in ("segmentation mIoU", "depth abs")} == {
        ("NDDR", "segmentation mIoU"),
        ("cross-stitch", "depth abs"),
    }


def test_a_number_that_is_undefined_has_no_value(tmp_path):
    rows = tuple(
        row.model_copy(update={"metrics": {"segmentation": {"mIoU": 1.0}, "depth": {"abs": math.nan}}})
        if row.method == "NDDR"
        else row
        for row in by_hand().rows
    )
    result = by_hand(rows=tuple(type(row).model_validate(row.model_dump()) for row in rows))
    shown = sortable(check(page_of(folder_with(tmp_path / "c", result))))
    assert shown["NDDR"]["depth abs"].attributes["data-value"] == ""
