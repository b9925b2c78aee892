"""One table, written three ways: the same numbers, computed here by hand."""

import csv
import io
import math
import re
import statistics

import pytest
from rich.console import Console

from taskweave.reporting import Table, table_of, to_csv, to_markdown, to_rich
from taskweave.results.comparison import ComparisonResult, Failure, Mark, Row
from taskweave.results.numbers import decimals_for, fixed, short, signed

DIRECTIONS = {"segmentation": {"mIoU": "higher"}, "depth": {"abs": "lower"}}
SCORES = {
    "single": ((30.0, 0.50), (34.0, 0.60), (35.0, 0.70)),
    "cross | stitch": ((33.0, 0.40), (36.0, 0.66), (39.0, 0.62)),
}


def row(method: str, seed: int, miou: float | None, error: float | None, marks: tuple[Mark, ...] = ()) -> Row:
    return Row(
        method=method,
        seed=seed,
        metrics={"segmentation": {"mIoU": miou}, "depth": {"abs": error}},
        directions=DIRECTIONS,
        parameters=1_234_567 if method == "single" else 1_300_000,
        flops=2_500_000_000,
        seconds_per_step=0.125,
        recipe_hash="h",
        marks=marks,
    )


@pytest.fixture
def result() -> ComparisonResult:
    weak = Mark(task="depth", metric="abs", reason="no better than a constant | prediction")
    rows = [
        row(method, seed, miou, error, (weak,) if method == "single" and seed == 2 else ())
        for method, scores in SCORES.items()
        for seed, (miou, error) in enumerate(scores)
    ]
    return ComparisonResult(
        name="a | b", recipe={}, recipe_hash="h", taskweave_version="0", rows=tuple(rows), baseline="single",
        constant={"segmentation": {"mIoU": 5.0}, "depth": {"abs": 0.9}}, missing=("NDDR, seed 0",),
    )  # fmt: skip


def markdown_cells(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def on_screen(cell: str) -> str:
    """A Markdown cell as terminals show it: marks as they are, intervals elsewhere or left out."""
    return re.sub(r"<sup>(.*)</sup>", r"\1", re.sub(r" \[.*\]", "", cell))


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def printed(table: Table, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    console.print(to_rich(table))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_mean_spread_and_gain_by_hand(result: ComparisonResult) -> None:
    head, _, single, stitched, constant = markdown_cells(to_markdown(table_of(result)))
    assert head == [
        "method", "seeds", "segmentation mIoU ↑", "gain", "depth abs ↓", "gain",
        "relative gain, % (task_mean)", "relative gain, % (flat_mean)", "parameters", "FLOPs", "s/step",
    ]  # fmt: skip
    # mIoU 30, 34, 35: mean 33, sum of squared distances 9 + 1 + 4 = 14, so sqrt(14 / 2) = 2.6458
    # abs .5, .6, .7: mean .6, spread sqrt(.02 / 2) = .1
    assert single == [
        "single", "3", "33.00 ± 2.65", "–", "0.6000 ± 0.1000 <sup>a</sup>", "–", "–", "–", "1.23 M", "2.50 G", "0.1250",
    ]  # fmt: skip
    # mIoU 33, 36, 39: 36 ± 3, gains 3, 2, 4: +3.  abs .40, .66, .62: mean .56, spread sqrt((.0256 + .01 + .0036) / 2) = .14
    # t-interval of 3, 2, 4: half of it is t(.975, 2) / sqrt(3) = 4.302653 / 1.732051 = 2.4841, so it leaves 0 out
    # gain of abs, + is better: .1, -.06, .08, mean +.04; s = sqrt((.0036 + .01 + .0016) / 2) = .087178, half .21656
    # relative gain per seed, in percent: (10 + 20) / 2, (200/34 - 10) / 2, (400/35 + 8/.7) / 2; each task has one metric
    each = [15.0, (200 / 34 - 10) / 2, (400 / 35 + 8 / 0.7) / 2]
    relative, half = statistics.mean(each), 4.302653 * statistics.stdev(each) / math.sqrt(3)
    gained = f"+{relative:.2f} [{relative - half:+.2f}, {relative + half:+.2f}]"
    assert stitched == [
        "cross | stitch", "3", "36.00 ± 3.00", "+3.00 [+0.52, +5.48] <sup>b</sup>", "0.5600 ± 0.1400",
        "+0.0400 [-0.1766, +0.2566]", gained, gained, "1.30 M", "2.50 G", "0.1250",
    ]  # fmt: skip
    assert constant == ["constant prediction", "", "5.00", "–", "0.9000", "–", "–", "–", "–", "–", "–"]


def test_csv_is_unrounded_and_rounds_to_the_markdown(result: ComparisonResult) -> None:
    table = table_of(result)
    single, stitched, constant = csv_rows(to_csv(table))
    assert float(single["segmentation mIoU"]) == pytest.approx(33.0, abs=1e-12)
    assert float(single["segmentation mIoU spread"]) == pytest.approx(math.sqrt(7.0), abs=1e-12)
    assert single["segmentation mIoU gain"] == ""
    assert single["marks"] == "depth abs: no better than a constant | prediction"
    assert single["parameters"] == "1234567"
    assert float(stitched["depth abs gain"]) == pytest.approx(0.04, abs=1e-12)
    assert (constant["seeds"], constant["depth abs"], constant["flops"]) == ("", "0.9", "")
    for numbers, cells in zip((single, stitched), markdown_cells(to_markdown(table))[2:4], strict=True):
        assert numbers["method"] == cells[0]
        for place, name, decimals in ((2, "segmentation mIoU", 2), (4, "depth abs", 4)):
            mean, spread = float(numbers[name]), float(numbers[f"{name} spread"])
            assert cells[place].split(" <sup>")[0] == f"{mean:.{decimals}f} ± {spread:.{decimals}f}"


@pytest.mark.parametrize("width", [200, 90])
def test_the_terminal_shows_the_same_numbers(result: ComparisonResult, width: int) -> None:
    table = table_of(result)
    text = printed(table, width)
    assert max(len(line) for line in text.splitlines()) <= width
    for line in markdown_cells(to_markdown(table))[2:]:
        shown = " ".join(part for part in text.splitlines() if line[0] in part)
        for cell in line[2:]:
            assert on_screen(cell) in shown, (cell, shown)
    assert "a: no better than a constant | prediction" in text
    assert text.count("mIoU ↑") == 1


def test_wide_terminals_get_one_table_and_narrow_ones_one_per_task(result: ComparisonResult) -> None:
    tables, heads = {}, {}
    for width in (200, 90, 50):
        lines = printed(table_of(result), width).splitlines()
        tables[width] = sum(line.startswith("┏") for line in lines)
        heads[width] = [line for line in lines if "mIoU" in line]
    assert tables == {200: 1, 90: 3, 50: 4}
    assert "gain" in heads[90][0], "beside its metric"
    assert "gain" not in heads[50][0], "under its metric, where there is no room"
    for number in ("33.00 ± 2.65", "+3.00", "0.5600 ± 0.1400", "+0.0400"):
        assert number in printed(table_of(result), 50), "numbers are never cut"


def test_names_of_methods_are_not_broken_within_words_at_80_columns(result: ComparisonResult) -> None:
    for name in ("cross-connected", "single, trained on", "NDDR + shortcut", "connected_trained_on"):
        rows = tuple(r.model_copy(update={"method": name}) if r.method != "single" else r for r in result.rows)
        cost = printed(table_of(result.model_copy(update={"rows": rows})), 80).rpartition("a | b: gain")[2]
        shown = [line.split("│")[1].strip() for line in cost.splitlines() if line.count("│") > 2]
        assert name in " ".join(shown), shown
        assert "relative" in cost and "parameters" in cost


def test_names_are_not_markup(result: ComparisonResult) -> None:
    rows = tuple(r.model_copy(update={"method": "[bold]x[/bold]"}) if r.method != "single" else r for r in result.rows)
    assert "[bold]x[/bold]" in printed(table_of(result.model_copy(update={"rows": rows})), 200)


def test_bars_and_line_breaks_in_names_stay_in_their_cell(result: ComparisonResult) -> None:
    rows = tuple(r.model_copy(update={"method": "two\nlines | bar"}) if r.method != "single" else r for r in result.rows)
    text = to_markdown(table_of(result.model_copy(update={"rows": rows})))
    assert "| two lines \\| bar | 3 |" in text
    assert {len(cells) for cells in markdown_cells(text)} == {11}
    assert csv_rows(to_csv(table_of(result.model_copy(update={"rows": rows}))))[1]["method"] == "two\nlines | bar"


def test_one_seed_has_no_spread_and_claims_nothing(result: ComparisonResult) -> None:
    table = table_of(result.model_copy(update={"rows": tuple(r for r in result.rows if r.seed == 0)}))
    assert markdown_cells(to_markdown(table))[2][2] == "30.00"
    assert any("no spread is known" in remark for remark in table.remarks)
    assert csv_rows(to_csv(table))[0]["segmentation mIoU spread"] == ""


def test_a_gain_counts_only_seeds_that_both_have(result: ComparisonResult) -> None:
    rows = tuple(r for r in result.rows if r.method == "single" or r.seed > 0)
    single, stitched, _ = csv_rows(to_csv(table_of(result.model_copy(update={"rows": rows}))))
    assert (single["seeds"], stitched["seeds"]) == ("3", "2")
    assert float(stitched["segmentation mIoU gain"]) == pytest.approx((2.0 + 4.0) / 2)


def test_a_method_without_a_task_leaves_its_cells_empty(result: ComparisonResult) -> None:
    rows = tuple(
        r if r.method == "single" else r.model_copy(update={"metrics": {"segmentation": r.metrics["segmentation"]}})
        for r in result.rows
    )
    table = table_of(result.model_copy(update={"rows": rows}))
    assert markdown_cells(to_markdown(table))[3][4:6] == ["–", "–"]
    assert csv_rows(to_csv(table))[1]["depth abs"] == ""


def test_what_is_missing_is_said(result: ComparisonResult) -> None:
    table = table_of(result)
    for text in (to_markdown(table), printed(table, 200)):
        assert "not trained yet: NDDR, seed 0." in text
        assert "task_mean" in text and "flat_mean" in text, "the kinds of average are named"


def test_intervals_of_relative_gains_stand_under_them_where_there_is_room(result: ComparisonResult) -> None:
    interval = markdown_cells(to_markdown(table_of(result)))[3][6].partition(" ")[2]
    assert interval.startswith("[")
    assert interval in printed(table_of(result), 200)
    assert interval in printed(table_of(result), 120)
    assert printed(table_of(result), 50).count(interval) == 1, "in the verdict alone"


def test_a_gain_of_three_seeds_is_marked_where_its_interval_leaves_0_out(result: ComparisonResult) -> None:
    notes = table_of(result).notes
    assert notes["b"].startswith("distinguishable from no gain")
    assert "not corrected" in notes["b"]
    two = table_of(result.model_copy(update={"rows": tuple(r for r in result.rows if r.seed < 2)}))
    assert not any(reason.startswith("distinguishable") for reason in two.notes.values()), "never under three seeds"
    assert "No test was made: under 3 seeds" in " ".join(two.remarks)
    assert two.lines[1].entries[1].interval, "a t-interval of two seeds is told all the same"
    _, stitched, _ = csv_rows(to_csv(table_of(result)))
    assert stitched["marks"].startswith("segmentation mIoU gain: distinguishable from no gain")


def test_failed_runs_are_lines_that_say_why(result: ComparisonResult) -> None:
    reason = "the loss of 'depth' is not a number\nat step 12 | " + "and so on " * 30
    failed = (
        Failure(method="cross | stitch", seed=2, run="r1", reason="out of memory"),
        Failure(method="NDDR", seed=0, run="r2", reason=reason),
        Failure(method="NDDR", seed=1, run="r3", reason="out of disk"),
    )
    rows = tuple(r for r in result.rows if (r.method, r.seed) != ("cross | stitch", 2))
    table = table_of(result.model_copy(update={"rows": rows, "failed": failed}))
    assert [(line.method, line.kind, line.counted) for line in table.lines] == [
        ("single", "method", "3"), ("cross | stitch", "method", "2 of 3"), ("NDDR", "failed", "0 of 2"),
        ("constant prediction", "constant", ""),
    ]  # fmt: skip
    _, _, _, part, lost, _ = markdown_cells(to_markdown(table))
    assert part[0] == "cross | stitch (failed: seed 2: out of memory)"
    assert part[2] == "34.50 ± 2.12", "what is there stands: 33 and 36"
    assert lost[0].startswith("NDDR (failed: seed 0: the loss of 'depth' is not a number at")
    assert len(lost[0]) < 80
    assert set(lost[2:]) == {"–"}
    numbers = csv_rows(to_csv(table))[2]
    assert "not a number at step 12" in numbers["marks"] and "seed 1: out of disk" in numbers["marks"]
    for width in (200, 90):
        assert "failed: seed 2:" in printed(table, width)


def test_a_verdict_stands_above_the_table(result: ComparisonResult) -> None:
    table = table_of(result)
    assert "cross | stitch gains over single" in table.verdict[0]
    first = " ".join(table.verdict).replace("|", "\\|")
    assert to_markdown(table).splitlines()[2] == first
    assert "gains over single" in printed(table, 200)


def test_a_comparison_without_rows_is_a_table_without_lines(result: ComparisonResult) -> None:
    table = table_of(result.model_copy(update={"rows": ()}))
    assert table.lines == ()
    assert "not trained yet" in to_markdown(table)
    assert printed(table, 80)
    assert csv_rows(to_csv(table)) == []


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (999, "999"), (1000, "1.00 k"), (99_960, "100 k"), (999_600, "1.00 M"), (2_441_216, "2.44 M"),
     (12_345_678, "12.3 M"), (3.64e9, "3.64 G"), (1.5e12, "1.50 T")],
)  # fmt: skip
def test_short_counts(count: float, text: str) -> None:
    assert short(count) == text


def test_rounding_has_no_negative_zero_and_no_signed_zero() -> None:
    assert fixed(-0.001, 2) == "0.00"
    assert [signed(x, 2) for x in (0.001, -0.001, 0.126, -0.126)] == ["0.00", "0.00", "+0.13", "-0.13"]
    assert [decimals_for(values) for values in ([12.0, 0.1], [-3.0, None], [0.5], [])] == [2, 3, 4, 2]
