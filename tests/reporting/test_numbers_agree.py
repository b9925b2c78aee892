"""Every number of a comparison is the same in comparison.json, the Markdown, the CSV and the terminal."""

import csv
import io
import json
import re
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from taskweave.reporting import table_of, to_rich, write_report
from taskweave.results.comparison import ComparisonResult, Failure, Row
from taskweave.results.folder import NUMBERS, RESULT, TABLE
from taskweave.results.gains import gains_of

TASKS: dict[str, dict[str, Any]] = {
    "segmentation": {"mIoU": "higher", "pixacc": "higher"}, "depth": {"abs": "lower"},
}  # fmt: skip
SEEDS = {"single": 4, "nddr": 4, "cross-stitch": 1}
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files of a comparison: four seeds, one of which failed, and a method with one seed and its interval."""
    generator = np.random.default_rng(5)
    rows = [
        Row(
            method=method, seed=seed, directions=TASKS, parameters=12_345_678, flops=987_654_321, recipe_hash="h",
            seconds_per_step=float(generator.uniform(0.1, 0.2)),
            metrics={
                "segmentation": {"mIoU": float(generator.uniform(30, 40)), "pixacc": float(generator.uniform(60, 70))},
                "depth": {"abs": float(generator.uniform(0.5, 0.6))},
            },
        )
        for method, seeds in SEEDS.items()
        for seed in range(seeds)
    ]  # fmt: skip
    failed = (Failure(method="cross-stitch", seed=1, run="r", reason="out of memory"),)
    result = ComparisonResult(
        name="numbers", recipe={}, recipe_hash="h", taskweave_version="0", rows=tuple(rows), failed=failed,
        constant={"segmentation": {"mIoU": 2.345, "pixacc": 20.123}, "depth": {"abs": 0.91}},
    )  # fmt: skip
    ends = iter(generator.uniform(0.1, 2.0, size=100))
    gains = tuple(
        gain.model_copy(
            update={
                "seeds": tuple(
                    s.model_copy(update={"low": s.value - next(ends), "high": s.value + next(ends)}) for s in gain.seeds
                )
            }
        )
        for gain in gains_of(result)
    )
    result.model_copy(update={"gains": gains}).save(tmp_path / RESULT)
    write_report(tmp_path)
    return tmp_path


def from_json(folder: Path, method: str) -> dict[str, float | None]:
    """What a method's line must say, from the content of comparison.json alone, by the columns of the CSV."""
    content = json.loads((folder / RESULT).read_text())
    rows = [row for row in content["rows"] if row["method"] == method]
    found: dict[str, float | None] = {}
    for task, metrics in TASKS.items():
        for metric in metrics:
            values = [row["metrics"][task][metric] for row in rows]
            found[f"{task} {metric}"] = mean(values)
            found[f"{task} {metric} spread"] = stdev(values) if len(values) > 1 else None
    for gain in (gain for gain in content["gains"] if gain["method"] == method):
        name = f"{gain['task']} {gain['metric']} gain" if gain["kind"] == "metric" else f"relative_gain {gain['kind']}"
        ends = gain if len(gain["seeds"]) > 1 else gain["seeds"][0]
        found |= {name: gain["value"], f"{name} low": ends["low"], f"{name} high": ends["high"]}
    found["seconds_per_step"] = mean(row["seconds_per_step"] for row in rows)
    return found


def in_csv(folder: Path) -> dict[str, dict[str, str]]:
    return {row["method"]: row for row in csv.DictReader(io.StringIO((folder / NUMBERS).read_text()))}


def in_markdown(folder: Path) -> dict[str, list[str]]:
    """{method: its cells from the first metric on}."""
    lines = [line for line in (folder / TABLE).read_text().splitlines() if line.startswith("| ")]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]
    return {row[0].partition(" (")[0]: row[2:] for row in rows}


@pytest.mark.parametrize("method", list(SEEDS))
def test_csv_and_json(folder: Path, method: str) -> None:
    row = in_csv(folder)[method]
    for name, value in from_json(folder, method).items():
        assert row[name] == ("" if value is None else row[name])
        assert value is None or float(row[name]) == pytest.approx(value, rel=1e-12), name
    told = {name for name, text in row.items() if text} - {"method", "seeds", "parameters", "flops", "marks"}
    assert told == {name for name, value in from_json(folder, method).items() if value is not None}, "and no other number"


@pytest.mark.parametrize("method", list(SEEDS))
def test_markdown_and_json(folder: Path, method: str) -> None:
    known = from_json(folder, method)
    names = [f"{task} {metric}{gain}" for task, of in TASKS.items() for metric in of for gain in ("", " gain")]
    names += ["relative_gain task_mean", "relative_gain flat_mean"]
    for name, cell in zip(names, in_markdown(folder)[method], strict=False):
        expected = [known.get(f"{name}{what}") for what in ("", " spread", " low", " high")]
        numbers = NUMBER.findall(cell.partition(" <sup>")[0])
        rounded = [f"{value:z.{len(text.partition('.')[2])}f}" for value, text in zip(
            [value for value in expected if value is not None], numbers, strict=True
        )]  # fmt: skip
        assert [text.removeprefix("+") for text in numbers] == rounded, name


@pytest.mark.parametrize("width", [300, 120, 80])
def test_terminal_and_markdown(folder: Path, width: int) -> None:
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    console.print(to_rich(table_of(ComparisonResult.load(folder / RESULT))))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    pieces = [line for line in text.splitlines() if "│" in line]
    everywhere = {number for cells in in_markdown(folder).values() for cell in cells for number in NUMBER.findall(cell)}
    told = {number for line in pieces for number in NUMBER.findall(line)} - {"0", "1", "2", "3", "4"}
    assert told <= everywhere, "no number that the Markdown does not have"
    for method, cells in in_markdown(folder).items():
        values = [re.sub(r" (\[|<sup>).*", "", cell) for cell in cells]
        shown = " ".join(pieces)
        assert all(value in shown for value in values), method


def test_the_verdict_tells_the_tables_number(folder: Path) -> None:
    cells = in_markdown(folder)
    result = ComparisonResult.load(folder / RESULT)
    best = max((gain for gain in result.gains if gain.kind == "task_mean"), key=lambda gain: gain.value)
    number, _, interval = cells[best.method][6].partition(" <sup>")[0].partition(" ")
    assert f"{number} % relative gain (task_mean), 95 % interval {interval} " in table_of(result).verdict[0]


def test_files_without_what_is_optional_are_read(folder: Path) -> None:
    content = json.loads((folder / RESULT).read_text())
    for new in ("failed", "gains", "warnings", "versions"):
        del content[new]
    (folder / RESULT).write_text(json.dumps(content))
    old = ComparisonResult.load(folder / RESULT)
    table = table_of(old)
    assert old.gains == ()
    assert table.lines[1].entries[1].interval, "seeds have a t-interval all the same"
    assert table.lines[2].entries[1].interval == "", "one seed without its images has none"
    write_report(folder)
    again = in_csv(folder)["nddr"]
    assert again["relative_gain task_mean"] == repr(table.lines[1].entries[6].value)
