"""A sweep's chart against its formulas."""

from pathlib import Path

import pytest

from taskweave.reporting.sweep_chart import dots_of, sweep_chart
from taskweave.results.comparison import ComparisonResult, Mark, Point, Row, Swept


def row(method: str, seed: int, miou: float, angle: float, *, marked: bool = False) -> Row:
    return Row(
        method=method,
        seed=seed,
        metrics={"segmentation": {"mIoU": miou, "pixacc": 1.0}, "normals": {"mean": angle}},
        directions={"segmentation": {"mIoU": "higher", "pixacc": "higher"}, "normals": {"mean": "lower"}},
        parameters=1,
        flops=1,
        recipe_hash="x",
        marks=(Mark(task="normals", metric="mean", reason="no better than a constant prediction"),) if marked else (),
    )


ROWS = (
    row("single", 0, 20.0, 30.0),
    row("single", 1, 10.0, 40.0),
    row("early", 0, 22.0, 33.0, marked=True),
    row("early", 1, 9.0, 20.0),
    row("late", 0, 10.0, 30.0),
    row("cross-stitch", 0, 25.0, 27.0),
)


def result(*rows: Row) -> ComparisonResult:
    return ComparisonResult(name="x", recipe={}, recipe_hash="x", taskweave_version="0", rows=rows or ROWS)


def swept(*, relative: bool, logarithmic: bool = False) -> Swept:
    named = (("a", "early", 1.0), ("b", "late", 100.0), ("c", "failed", 1000.0))
    points = tuple(Point(text=text, method=method, number=number) for text, method, number in named)
    beside = ("cross-stitch",) if relative else ()
    return Swept(
        axis="split", label="last shared stage", points=points, beside=beside, logarithmic=logarithmic, relative=relative
    )


def test_relative_to_single_up_is_better() -> None:
    """Figure 2: value / single's where higher is better; 2 - value / single's where lower is; each seed by its single."""
    found = dots_of(result(), swept(relative=True))
    assert list(found) == ["segmentation", "normals"], "the first metric of each task"
    assert [[dot.y for dot in group] for group in found["segmentation"]] == [
        pytest.approx([22 / 20, 9 / 10]), pytest.approx([10 / 20]), [], pytest.approx([25 / 20])
    ]  # fmt: skip
    assert [[dot.y for dot in group] for group in found["normals"]] == [
        pytest.approx([2 - 33 / 30, 2 - 20 / 40]), pytest.approx([1.0]), [], pytest.approx([2 - 27 / 30])
    ]  # fmt: skip
    assert [dot.better_than_constant for dot in found["normals"][0]] == [False, True]
    assert all(dot.better_than_constant for group in found["segmentation"] for dot in group)
    assert [group[0].x for group in found["segmentation"] if group] == [0.0, 1.0, 3.5]


def test_other_axes_show_the_gain_in_percent() -> None:
    found = dots_of(result(), swept(relative=False, logarithmic=True))
    assert [[dot.y for dot in group] for group in found["segmentation"]] == [
        pytest.approx([10.0, -10.0]), pytest.approx([-50.0]), []
    ]  # fmt: skip
    assert [group[0].x for group in found["segmentation"] if group] == [1.0, 100.0]


@pytest.mark.parametrize("relative", [True, False])
def test_a_chart_with_its_words(relative: bool, tmp_path: Path) -> None:
    path = sweep_chart(result(), swept(relative=relative, logarithmic=not relative), tmp_path / "charts" / "sweep.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    words = path.with_suffix(".svg").read_text()
    assert "last shared stage" in words


def test_a_point_of_one_seed_is_that_seeds() -> None:
    points = tuple(Point(text=str(seed), method="early", seed=seed) for seed in (1, 0))
    found = dots_of(result(), Swept(axis="seeds", label="seed", points=points))
    assert [[round(dot.y, 9) for dot in group] for group in found["segmentation"]] == [[-10.0], [10.0]]


def test_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no value of 'x' can be compared with 'single'"):
        sweep_chart(result(ROWS[0]), swept(relative=True), tmp_path / "no.png")
    assert not list(tmp_path.iterdir())
