"""The demo's recipe against what is promised of it."""

import pytest
from recipes.rows import written

from taskweave.experiments.plan import all_runs, entries
from taskweave.recipes.demos import demo as recipe, demo_pets as recipe_of_pets


@pytest.mark.parametrize("small", [True, False])
def test_two_tasks_on_scenes_by_four_methods_without_any_download(small: bool) -> None:
    demo = recipe(small=small)
    assert demo.data.dataset.name == "scenes"
    assert demo.start.name == "scratch"
    assert list(demo.tasks) == ["segmentation", "normals"]
    assert [written(row)["use"] for row in demo.rows] == ["single", "single_trained_on", "shared", "cross_stitch", "nddr"]
    assert len(demo.seeds) == 1
    assert demo.evaluation.pictures > 0


def test_seven_networks_are_trained_as_long_as_each_other() -> None:
    """What the README says; and no method gets more steps than "single, trained on"."""
    rows = entries(recipe())
    runs = all_runs(rows)
    assert len(runs) == 7
    assert {max(run.steps_in_all for run in row.runs) for row in rows[1:]} == {runs[0].steps + rows[-1].runs[0].steps}


@pytest.mark.parametrize("small", [True, False])
def test_three_tasks_on_the_pets_that_ship_without_any_download(small: bool) -> None:
    demo = recipe_of_pets(small=small)
    assert demo.data.dataset.name == "pets_sample"
    assert demo.data.facts.may_be_shown
    assert demo.start.name == "scenes"
    assert set(demo.tasks) == {"segmentation", "species", "box"}
    assert [written(row)["use"] for row in demo.rows] == ["single", "shared", "pet_segnet"]
    assert {run.steps for row in entries(demo) for run in row.runs} == {demo.training.single.steps}, "as long as each other"
