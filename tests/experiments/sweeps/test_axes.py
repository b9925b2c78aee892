"""Every axis against its definition: which rows a sweep has, and that they are the runs of ordinary comparisons."""

from typing import Any

import pytest
from experiments.tiny import tiny

from taskweave.experiments.methods import Shared
from taskweave.experiments.methods.row import Row
from taskweave.experiments.plan import all_runs, entries
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.sweeps.axes import AXES, axis_named
from taskweave.experiments.sweeps.axis import Sweep
from taskweave.experiments.sweeps.stages import split_points
from taskweave.recipes.catalogue import find
from taskweave.units import NDDR
from taskweave.units.unit import Unit

ROWS = [{"use": "nddr"}, {"use": "cross_stitch", "rate": 10.0}]


def of(axis: str, *values: str, recipe: Recipe | None = None, method: str | None = None) -> Sweep:
    return axis_named(axis).of(recipe or tiny(methods=ROWS), values=values, method=method)


def row_of(**said: object) -> Row:
    return Row.model_validate(said)


def rows_with(made: Sweep, unit: type[Unit]) -> list[Row]:
    """The rows whose streams meet through a kind of unit."""
    return [one for one in made.recipe.methods if one.unit is not None and one.unit.call is unit]


def weights_of(made: Sweep, unit: type[Unit]) -> list[tuple[Any, Any]]:
    units = [one.unit for one in rows_with(made, unit)]
    return [(one.options["self_weight"], one.options["other_weight"]) for one in units if one is not None]


def refusal(axis: str, *values: str, recipe: Recipe | None = None, method: str | None = None) -> str:
    with pytest.raises(ValueError) as error:
        of(axis, *values, recipe=recipe, method=method)
    return str(error.value)


def test_split_points_of_the_papers_network() -> None:
    """Cross-stitch, figure 2: a split at every layer from conv2 to the last; a pooling goes with the layer before it."""
    assert split_points(find("cross_stitch/table5")) == ("pool1", "pool2", "conv3", "conv4", "pool5", "fc6", "fc7")


def test_split_points_of_a_resnet() -> None:
    assert split_points(tiny()) == ("stem", "layer1", "layer2", "layer3", "layer4")


def test_a_split_sweep_stands_beside_the_recipes_cross_stitch() -> None:
    made = of("split", "layer1", "layer4")
    assert made.recipe.name == "tiny-sweep-split"
    assert [row.title for row in made.recipe.rows] == [
        "single", "shared until layer1", "shared until layer4", "cross-stitch"
    ]  # fmt: skip
    assert [(p.text, p.method) for p in made.swept.points] == [
        ("layer1", "shared until layer1"), ("layer4", "shared until layer4")
    ]  # fmt: skip
    assert made.swept.beside == ("cross-stitch",) and made.swept.relative
    trained_on = of("split", "layer1", recipe=tiny(methods=ROWS, single_trained_on=True))
    assert trained_on.swept.beside == ("single, trained on", "cross-stitch")
    assert made.recipe.methods[-1] == row_of(use="cross_stitch", rate=10.0)
    assert of("split", "layer1", method="NDDR").recipe.methods[-1] == row_of(use="nddr")


def test_a_sweeps_runs_are_those_of_ordinary_comparisons() -> None:
    table = find("cross_stitch/table5", small=True)
    splits = {run.digest for entry in entries(table) if entry.row.method.call is Shared for run in entry.runs}
    made = of("split", recipe=table).recipe
    assert {r.digest for e in entries(made) if e.row.method.call is Shared for r in e.runs} == splits
    assert {run.digest for run in all_runs(entries(made))} < {run.digest for run in all_runs(entries(table))}


def test_figure_2_is_of_table_5s_runs() -> None:
    """At full size; its small form has less of everything, for all rows alike."""
    figure, table = find("cross_stitch/figure2"), find("cross_stitch/table5")
    assert {run.digest for run in all_runs(entries(figure))} < {run.digest for run in all_runs(entries(table))}
    small = find("cross_stitch/figure2", small=True)
    assert small.data.training_size == small.data.picture_size == (128, 160)
    t = small.training
    assert (t.single.steps, t.connected.steps, t.of_joint.steps) == (200, 100, 300), "as many pictures for every row"


def test_splits_of_networks_that_share_nothing() -> None:
    networks = {
        "segmentation": {"use": "deeplab_resnet", "body": "resnet10t"},
        "normals": {"use": "fcn32s_alexnet"},
    }
    other = tiny(networks=networks, at=["layer4"])
    said = refusal("split", recipe=other)
    assert "['segmentation', 'normals'] have no stage that they could share" in said
    assert "give all tasks one network, or sweep over" in said
    assert "There is: stem, layer1, layer2, layer3, layer4" in refusal("split", "layer9")


def test_init() -> None:
    made = of("init", "0.9:0.1", "0.5:0.5")
    assert rows_with(made, NDDR) == list(made.recipe.methods)
    assert weights_of(made, NDDR) == [(0.9, 0.1), (0.5, 0.5)]
    assert [p.text for p in made.swept.points] == ["(0.9, 0.1)", "(0.5, 0.5)"]
    usual = of("init", recipe=find("cross_stitch/table5"))
    of_paper = {run.digest for run in all_runs(entries(find("cross_stitch/table1")))}
    last = entries(usual.recipe)[-1].runs[0].digest  # (.9, .1), whose rate in table 5 is 1000: table 1 has 100
    assert last not in of_paper
    assert "pairs own:other, e.g. 0.9:0.1" in refusal("init", "0.9")
    assert "are numbers, e.g. 0.9:0.1; got 'nan'" in refusal("init", "nan:0.1")
    assert "'cross_connection'" in refusal("init", method="cross_connection", recipe=tiny(methods=[{"use": "nddr"}]))


@pytest.mark.parametrize(("row", "initial"), [({"use": "nddr", "initial": "xavier"}, "diagonal"),
                                              ({"use": "sluice", "initial": "balanced"}, "own")])  # fmt: skip
def test_init_is_of_units_that_start_from_the_two_weights(row: dict[str, str], initial: str) -> None:
    """A row that starts at random takes none: its values would all be one network."""
    units = [one.unit for one in of("init", "0.9:0.1", "0.5:0.5", recipe=tiny(methods=[row])).recipe.methods]
    found = [(one.options["initial"], one.options["self_weight"]) for one in units if one is not None]
    assert found == [(initial, 0.9), (initial, 0.5)]


def test_lr_is_the_papers_table_2() -> None:
    made = of("lr", recipe=find("cross_stitch/table5"))
    assert {run.digest for run in all_runs(entries(made.recipe))} == {
        run.digest for run in all_runs(entries(find("cross_stitch/table2")))
    }
    assert [p.number for p in made.swept.points] == [1, 10, 100, 1000] and made.swept.logarithmic
    assert "above 0; got 0" in refusal("lr", "0")
    assert "numbers, e.g. 1,10,100; got 'fast'" in refusal("lr", "fast")
    assert "numbers, e.g. 1,10,100; got 'inf'" in refusal("lr", "inf")
    same = refusal("lr", "1", "1.0")
    assert same.startswith("sweep lr: two methods are called ['NDDR, rate x 1']; give them"), (
        "plain, without pydantic's frame"
    )


def test_start() -> None:
    recipe = tiny(methods=ROWS, start={"use": "scenes", "steps": 7})
    made = of("start", recipe=recipe)
    assert [p.text for p in made.swept.points] == ["scratch", "scenes", "single"]
    starts = [row.method.options["start"] for row in rows_with(made, NDDR)]
    assert [start and start.name for start in starts] == ["scratch", "scenes", None]
    assert starts[1] == recipe.start, "the recipe's own, not the usual one"
    assert [e.runs[0].schedule for e in entries(made.recipe)][-3:] == ["joint", "joint", "connected"]
    assert "There is: library, scenes, scratch, single" in refusal("start", "imagenet")


def test_unit_takes_the_recipes_own() -> None:
    made = of("unit", "cross_stitch", "scale_layer")
    assert [row.unit.name for row in made.recipe.methods] == ["cross_stitch", "scale_layer"]
    assert made.recipe.methods[0] == row_of(use="cross_stitch", rate=10.0)
    assert [p.text for p in of("unit").swept.points] == ["cross-stitch", "NDDR", "cross-connected", "sluice"]
    assert "did you mean 'sluice'" in refusal("unit", "sluices")
    assert "leave it out" in refusal("unit", method="nddr")


def test_places_each_alone_then_more_and_more() -> None:
    made = of("places", recipe=tiny(methods=ROWS, at=["stem", "layer2", "layer4"]))
    assert [row.method.options["at"] for row in rows_with(made, NDDR)] == [
        ("stem",), ("layer2",), ("layer4",), ("stem", "layer2"), ("stem", "layer2", "layer4")
    ]  # fmt: skip
    assert [row.method.options["at"] for row in rows_with(of("places", "layer1+layer3"), NDDR)] == [("layer1", "layer3")]


@pytest.mark.parametrize("value", ["layer1+", "", "layer1+layer1"])
def test_places_that_are_none(value: str) -> None:
    assert f"stages joined by +, e.g. pool1+pool2; got {value!r}" in refusal("places", value)


def test_seeds() -> None:
    made = of("seeds", recipe=tiny(methods=ROWS, seeds=[4]))
    assert made.recipe.seeds == (4, 5, 6)
    assert made.recipe.methods == tiny(methods=ROWS).methods
    assert [(p.text, p.method, p.seed) for p in made.swept.points] == [(str(s), "cross-stitch", s) for s in (4, 5, 6)]
    assert of("seeds", "1", "2", method="NDDR").swept.points[0].method == "NDDR"
    assert "whole numbers" in refusal("seeds", "one")


@pytest.mark.parametrize("axis", [axis.name for axis in AXES])
def test_every_axis_keeps_the_single_networks_and_refuses_what_it_does_not_know(axis: str) -> None:
    made = of(axis, recipe=tiny(methods=ROWS, single_trained_on=True))
    assert [row.method.name for row in made.recipe.rows[:2]] == ["single", "single_trained_on"]
    assert made.recipe.name == f"tiny-sweep-{axis}"
    titles = {row.title for row in made.recipe.rows}
    assert {point.method for point in made.swept.points} | set(made.swept.beside) <= titles
    if axis != "unit":
        assert "'nonsense'" in refusal(axis, method="nonsense")
    first = axis_named(axis).usual(tiny(methods=ROWS), None)[0]
    assert "twice" in refusal(axis, first, first)


def test_an_unknown_axis() -> None:
    with pytest.raises(ValueError, match="unknown axis 'splits', did you mean 'split'"):
        axis_named("splits")
