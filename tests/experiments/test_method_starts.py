"""Methods with a start of their own, and single networks with their own number of steps."""

from pathlib import Path

import pytest
import torch
from experiments.tiny import content, tiny

from taskweave.experiments.comparison import compare
from taskweave.experiments.plan import Run, all_runs, entries
from taskweave.experiments.recipe import Recipe
from taskweave.training import read_state

SCENES = {"use": "scenes", "steps": 1, "images": 4, "size": [32, 48], "batch_size": 2}
STARTS = [
    {"use": "nddr", "start": {"use": "scratch"}, "label": "from scratch"},
    {"use": "nddr", "start": SCENES, "label": "from scenes"},
    {"use": "nddr", "label": "from single"},
]


def find(recipe: Recipe, title: str) -> Run:
    return next(run for run in all_runs(entries(recipe)) if run.title == title)


def test_a_method_with_a_start_is_trained_jointly_from_it() -> None:
    recipe = tiny(methods=STARTS)
    roles = {name: find(recipe, f"from {name}, seed 0") for name in ("scratch", "scenes", "single")}
    assert [run.schedule for run in roles.values()] == ["joint", "joint", "connected"]
    parents = [["start" if parent.first else parent.schedule for parent in run.parents] for run in roles.values()]
    assert parents == [[], ["start"], ["single"] * 2]
    assert [run.steps for run in roles.values()] == [4, 4, 2]  # single and connected together: as many images
    assert len({run.digest for run in roles.values()}) == 3


def test_without_a_start_a_run_is_known_as_before_there_were_any() -> None:
    run = find(tiny(), "cross-stitch, seed 0")
    assert "start" not in run.content["method"]
    assert "start" not in tiny().identity()["methods"][0]


def test_a_start_and_no_fine_tuning_needs_no_single_trained_on() -> None:
    recipe = tiny(methods=STARTS[:1], single_trained_on=True)
    assert [row.title for row in recipe.rows] == ["single", "from scratch"]


@pytest.mark.slow
def test_each_start_is_trained_once_and_loaded(tmp_path: Path) -> None:
    recipe = tiny(methods=STARTS[:2])
    done = compare(recipe, folder=tmp_path)
    assert done.finished and len(done.result.rows) == 3
    start, run = find(recipe, "bodies pre-trained on scenes"), find(recipe, "from scenes, seed 0")
    states = [read_state(tmp_path / "runs" / one.digest / "weights.safetensors") for one in (start, run)]
    (body,) = (v for k, v in states[0].items() if k.endswith("segmentation.net.body.conv1.0.weight"))
    (trained,) = (v for k, v in states[1].items() if k.endswith("segmentation.net.body.conv1.0.weight"))
    assert torch.allclose(body, trained, atol=0.1), "four steps change no weight by more"


def test_trained_on_one_task_starts_from_single_networks() -> None:
    with pytest.raises(ValueError, match=r"starts from single networks: leave `start` out of its `connected`"):
        tiny(methods=[{"use": "one_task", "connected": {"use": "connected", "unit": "nddr", "start": "scratch"}}])


def test_single_networks_with_their_own_steps() -> None:
    given = content()
    given["training"]["single_steps"] = {"normals": 7}
    recipe = Recipe.model_validate(given)
    assert [find(recipe, f"single {task}, seed 0").steps for task in ("segmentation", "normals")] == [2, 7]
    assert find(recipe, "single segmentation, seed 0").digest == find(tiny(), "single segmentation, seed 0").digest
    assert recipe.digest() != tiny().digest()
    given["training"]["single_steps"] = {"depth": 7}
    with pytest.raises(ValueError, match=r"training\.single_steps names \['depth'\], no tasks of this recipe"):
        Recipe.model_validate(given)
