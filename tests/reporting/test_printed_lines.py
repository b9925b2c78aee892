"""A paper's numbers in the table: below their method, as printed, in no mean, gain, row or best number."""

import csv
import io
from pathlib import Path

import pytest
from experiments.tiny import tiny
from rich.console import Console

from taskweave.experiments.data import Source
from taskweave.experiments.set_up import differences, set_up
from taskweave.recipes.catalogue import find
from taskweave.reporting.formats import to_csv, to_markdown
from taskweave.reporting.tables import Line, table_of
from taskweave.reporting.terminal import to_rich
from taskweave.results.comparison import ComparisonResult, Printed, Row

PRINTED = Printed(
    paper="A. Author, Nets",
    table="Table 9",
    caption="two methods",
    rows={
        "cross-stitch": {"segmentation": {"mIoU": 36.0}, "normals": {"mean": 13.9}},
        "NDDR": {"segmentation": {"mIoU": 50.0}},
    },
    names={"cross-stitch": ("C.-S.",), "NDDR": ("Ours",)},
    only_printed=("the row Sluice",),
    set_up=set_up(tiny(network={"use": "deeplab_resnet", "body": "resnet101"})),
    pictures={"train": 795, "test": 654},
    notes=("Angles are of another space.",),
    doubts=("Two rows are the same.",),
)


def result(printed: Printed | None = PRINTED) -> ComparisonResult:
    def row(method: str, miou: float, mean: float) -> Row:
        return Row(
            method=method, seed=0, parameters=5, flops=7, recipe_hash="r", runs=(method,),
            metrics={"segmentation": {"mIoU": miou}, "normals": {"mean": mean}},
            directions={"segmentation": {"mIoU": "higher"}, "normals": {"mean": "lower"}},
        )  # fmt: skip

    return ComparisonResult(
        name="tiny", recipe={}, recipe_hash="h", taskweave_version="0", baseline="single", printed=printed,
        set_up=() if printed is None else differences(tiny(), printed.set_up),
        rows=(row("single", 20.0, 30.0), row("cross-stitch", 30.0, 25.0)), images={"train": 8, "test": 4},
    )  # fmt: skip


def lines(one: ComparisonResult) -> list[Line]:
    return list(table_of(one).lines)


def on_screen(one: ComparisonResult) -> str:
    text = io.StringIO()
    Console(file=text, width=300).print(to_rich(table_of(one)))
    return text.getvalue()


def test_the_line_stands_below_its_method_with_the_numbers_as_printed() -> None:
    assert [line.method for line in lines(result())] == ["single", "cross-stitch", "cross-stitch, printed in the paper"]
    texts = {
        column.head: entry.text
        for column, entry in zip(table_of(result()).columns, lines(result())[2].entries, strict=True)
    }
    assert texts["segmentation mIoU ↑"] == "36.0"
    assert texts["normals mean ↓"] == "13.9"
    assert {text for head, text in texts.items() if head not in ("segmentation mIoU ↑", "normals mean ↓")} == {"–"}


def test_all_three_ways_of_writing_have_it() -> None:
    table = table_of(result())
    assert "| cross-stitch, printed in the paper |  | 36.0 | – | 13.9 | – |" in to_markdown(table)
    rows = {row["method"]: row for row in csv.DictReader(io.StringIO(to_csv(table)))}
    beside = rows["cross-stitch, printed in the paper"]
    assert (beside["segmentation mIoU"], beside["normals mean"]) == ("36.0", "13.9")
    assert (beside["seeds"], beside["segmentation mIoU gain"], beside["parameters"]) == ("", "", "")
    assert "cross-stitch, printed in the paper" in on_screen(result())


def test_no_number_of_ours_is_another_with_it() -> None:
    with_it, without = lines(result()), lines(result(None))
    assert [line for line in with_it if line.kind != "printed"] == without
    assert table_of(result()).verdict == table_of(result(None)).verdict
    assert {row.method for row in result().rows} == {"single", "cross-stitch"}


def test_the_remarks_say_where_from_and_how_the_set_up_differs() -> None:
    told = "\n".join(table_of(result()).remarks)
    assert "A. Author, Nets, Table 9 (two methods), as printed; counted in no mean and no gain. Its rows: " in told
    assert "Its rows: C.-S. at cross-stitch." in told
    assert "printed, but not here: the row Sluice." in told
    assert "here, but not printed: single." in told
    assert "number of pictures: train 8, test 4 [train 795, test 654]" in told
    assert "networks: deeplab_resnet (body resnet10t, head aspp (rates 1, 2)) [deeplab_resnet (body resnet101)]" in told
    assert "Angles are of another space." in told and "Two rows are the same." in told
    assert "printed in the paper" not in "\n".join(table_of(result(None)).remarks)


def test_where_nothing_differs_the_recipe_says_what_is_not_the_papers() -> None:
    """As many pictures under other names of their parts are the same pictures."""
    own = PRINTED.model_copy(update={"set_up": set_up(tiny()), "pictures": {"Kinki train": 8, "Tomamae test": 4}})
    alike = result(own)
    noted = alike.model_copy(update={"notes": "Ours: the rate."})
    assert "set-up: the paper's, as our recipe of full size reads it. Ours: the rate." in table_of(noted).remarks
    fewer = noted.model_copy(update={"images": {"train": 8, "test": 3}})
    assert any("number of pictures: train 8, test 3 [Kinki train 8," in remark for remark in table_of(fewer).remarks)


def test_numbers_of_ones_own_need_no_set_up() -> None:
    own = Printed(paper="A", table="Table 9", rows=PRINTED.rows)
    assert "36.0" in to_markdown(table_of(result(own)))
    assert not any(remark.startswith("set-up") for remark in table_of(result(own)).remarks)


def test_a_narrow_terminal_leaves_it_out_where_papers_print_nothing() -> None:
    text = io.StringIO()
    Console(file=text, width=70).print(to_rich(table_of(result())))
    pieces = text.getvalue().split("tiny: ")[1:]
    shown = [" ".join(piece.split()) for piece in pieces]
    assert ["36.0" in piece or "13.9" in piece for piece in shown] == [
        "segmentation" in p[:14] or "normals" in p[:9] for p in shown
    ]


STEPS = {"single": {"steps": 5}, "connected": {"steps": 2}}
TASKS = {"segmentation": {}, "normals": {"angles": "raw_uint8"}}
NDDR = {"use": "nddr", "rate": 100}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"data": tiny(data={"use": "scenes", "size": [64, 64]}).data}, "pictures: 64 x 64 [32 x 48]"),
        ({"training": tiny(training=STEPS).training}, "training alone: 5 steps of 8"),
        ({"tasks": tiny(tasks=TASKS).tasks}, "normals angles: raw_uint8 [true]"),
        ({"start": tiny(start={"use": "library"}).start}, "start: ImageNet's weights [random weights]"),
        ({"methods": tiny(methods=[NDDR]).methods}, "rate of units: NDDR x 100 [as the rest]"),
    ],
)
def test_each_aspect_that_differs_is_told(changed: dict[str, object], told: str) -> None:
    base = tiny(tasks={"segmentation": {}, "normals": {}})
    other = base.model_copy(update=changed)
    assert differences(base, set_up(base)) == ()
    assert any(one.startswith(told) for one in differences(other, set_up(base))), differences(other, set_up(base))


def test_names_paths_and_notes_are_no_difference() -> None:
    full = find("nddr/table4")
    assert isinstance(full.data, Source)
    elsewhere = full.data.dataset.replace(path=Path("/z"))
    moved = full.model_copy(
        update={"name": "x", "notes": "y", "seeds": (7,), "data": full.data.model_copy(update={"dataset": elsewhere})}
    )
    assert differences(moved, set_up(full)) == ()
    assert full.printed is not None and full.printed.set_up == set_up(full)
    small = find("nddr/table4", small=True)
    assert small.printed is not None and small.printed.set_up == set_up(full)
    assert "normals angles: true [raw_uint8]" in differences(small, small.printed.set_up)
