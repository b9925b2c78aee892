"""The pet paper's table 1 as recipes: rows and unique parameter counts, protocol, two steps of every row on real pets."""

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from recipes.rows import written

from taskweave.experiments.artifacts import pictures
from taskweave.experiments.bench import Bench
from taskweave.experiments.comparison import compare
from taskweave.experiments.overrides import with_settings
from taskweave.experiments.plan import all_runs, entries
from taskweave.experiments.recipe import Recipe
from taskweave.images import PLAIN
from taskweave.recipes.catalogue import find
from taskweave.reporting import write_report

PUBLISHED, SOUND = "pets/table1", "pets/table1_sound"
FORMS = [(name, small) for name in (PUBLISHED, SOUND) for small in (False, True)]
ROWS = ["Baseline", "Binary Ablation", "B.Box Ablation", "MTL", "OEQ"]


def content(name: str, *, small: bool = False) -> dict[str, Any]:
    return find(name, small=small).dump()


@pytest.mark.parametrize(("name", "small"), FORMS)
def test_rows(name: str, small: bool) -> None:
    recipe = find(name, small=small)
    assert [row.title for row in recipe.rows] == ROWS
    measured = {e.row.title: sorted(task for run in e.runs for task in run.measured) for e in entries(recipe)}
    everything = ["box", "segmentation", "species"]
    assert list(measured.values()) == [
        ["segmentation"],
        ["segmentation", "species"],
        ["box", "segmentation"],
        everything,
        everything,
    ]
    assert recipe.evaluation.also_on == ("train", "validation")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "stages", "unused"), [(PUBLISHED, 1, 4), (SOUND, 5, 0)])
def test_unique_parameter_counts(name: str, stages: int, unused: int) -> None:
    """Shared stem; published: one matrix (pet_architecture.md, section 1); sound: one for each of five stages."""
    full = find(name)
    bench = Bench(full)
    size = {run.row.title: bench.cost(run).parameters for run in all_runs(entries(full)) if not run.first}
    assert size["Baseline"] == 18_881_615
    assert size["Binary Ablation"] == 24_027_597 + 4 * (stages - 1)
    assert size["B.Box Ablation"] == 24_027_759 + 4 * (stages - 1)
    assert size["MTL"] == 29_173_742 + 9 * (stages - 1)
    assert size["OEQ"] == 46_271_492 + 10_296_886 + unused  # the target, and the auxiliaries that it reads


def test_protocol_as_published() -> None:
    full = content(PUBLISHED)
    assert (full["data"]["size"], full["data"]["statistics"]) == ([256, 256], "plain")
    assert find(PUBLISHED).data.image_statistics == PLAIN  # pixels in [0, 1], no mean taken off
    assert full["data"]["augment"] == [] and full["data"]["split"] == "drawn"
    assert full["tasks"]["box"]["unit"] == "pixels" and full["tasks"]["segmentation"]["image_miou"]
    rows = [written(row) for row in find(PUBLISHED).methods]
    networks = [full["networks"]["segmentation"], *rows[1:]]
    assert {(net["sigmoid"], net["batch_statistics"], net["width"]) for net in networks} == {(True, True, 16)}
    assert [row["stitch"] for row in rows[1:4]] == ["one"] * 3
    assert {row["weighting"]["use"] for row in rows[1:4]} == {"loss_gate"}
    assert {row["weighting"]["weighting"]["use"] for row in rows[1:4]} == {"dynamic_weight_average"}
    training = full["training"]
    epoch, joint_epoch = -(-2210 // 39), -(-2210 // 30)
    assert (training["single"]["steps"], training["single"]["batch_size"]) == (150 * epoch, 39)
    assert (training["joint"]["steps"], training["joint"]["batch_size"]) == (150 * joint_epoch, 30)
    assert rows[4]["first_steps"] == 120 * joint_epoch
    assert training["connected"]["steps"] == 150 * epoch
    for stage in ("single", "connected", "joint"):
        assert training[stage]["optimizer"] == {"use": "adam", "lr": 1e-3, "betas": [0.9, 0.999]}
        assert training[stage]["schedule"]["use"] == "constant"
    assert full["start"] == {"use": "scratch"}


def test_sound_differs_in_the_faults_only() -> None:
    sound, published = content(SOUND), content(PUBLISHED)
    rows = [written(row) for row in find(SOUND).methods]
    networks = [sound["networks"]["segmentation"], *rows[1:]]
    assert {(net["sigmoid"], net["batch_statistics"]) for net in networks} == {(False, False)}
    assert [row["stitch"] for row in rows[1:4]] == ["per_stage"] * 3
    assert {row["weighting"] for row in rows[1:4]} == {None}
    assert sound["data"] == published["data"]
    assert sound["tasks"]["box"]["unit"] == "relative"
    assert sound["training"]["joint"]["batch_size"] == 39  # the paper's for all


@pytest.mark.shared
def test_rows_are_those_printed(shared: Path) -> None:
    tables = yaml.safe_load((shared / "spec" / "paper_tables.yaml").read_text())["papers"]["p004"]["tables"]
    assert [row["model"] for row in tables["table1"]["rows"]] == ROWS


def thin(name: str, **changes: str) -> Recipe:
    """The small recipe on the pets that ship with taskweave: two channels, two steps."""
    given = {"data.use": "pets_sample", "data.size": "[128, 128]", "start.use": "scratch"}
    given |= {f"networks.{task}.width": "2" for task in ("segmentation", "species", "box")}
    given |= {f"methods.{row}.network.width": "2" for row in range(1, 5)}
    for stage in ("single", "connected", "joint"):
        given |= {f"training.{stage}.steps": "2", f"training.{stage}.batch_size": "4"}
    return with_settings(find(name, small=True), [f"{path}={value}" for path, value in {**given, **changes}.items()])


@pytest.mark.slow
def test_two_steps_of_every_row(tmp_path: Path) -> None:
    recipe = thin(SOUND, **{"evaluation.also_on": "[validation]", "evaluation.pictures": "1"})
    done = compare(recipe, folder=tmp_path)
    assert done.finished and done.result.methods == tuple(ROWS)
    rows = {row.method: row for row in done.result.rows}
    parts = ("", " (validation)")
    assert list(rows["Baseline"].metrics) == [f"segmentation{part}" for part in parts]
    for title in ("MTL", "OEQ"):
        tasks = ("segmentation", "species", "box")
        assert set(rows[title].metrics) == {f"{task}{part}" for task in tasks for part in parts}
    assert set(done.result.constant) == set(rows["MTL"].metrics)
    drawn = {path.name for path in (*done.pictures, *write_report(done.folder))}
    assert {"masks-and-boxes.png", "segmentation.png", "box.png", "species.png", "gains.png"} <= drawn


@pytest.mark.parametrize("name", [PUBLISHED, SOUND])
def test_every_task_of_oeq_can_be_asked_for_alone(name: str) -> None:
    """As pictures of one task are drawn; the published auxiliaries have a matrix that nothing reads."""
    recipe = thin(name)
    bench, run = Bench(recipe), entries(recipe)[-1].runs[0]
    net, x = bench.build(run, shapes_only=True).eval(), torch.rand(2, 3, 128, 128)
    with torch.no_grad():
        together = net(x)
        for task in run.tasks:
            torch.testing.assert_close(net(x, tasks=[task])[task], together[task])


def test_single_networks_of_some_tasks_only() -> None:
    recipe = thin(SOUND)
    assert [run.tasks for run in entries(recipe)[0].runs] == [("segmentation",)]
    with pytest.raises(ValueError, match=r"'Baseline' is to have only \['depth'\], no tasks of this recipe: it has"):
        thin(SOUND, **{"methods.0.only": "[depth]"})


def test_masks_and_boxes_lie_on_their_picture() -> None:
    """Colour where the mask is neither background nor unlabelled, half the picture's; the box's lines on top."""
    tasks = Bench(thin(SOUND)).shapes_only
    image = torch.full((3, 40, 40), 100, dtype=torch.uint8)
    mask = torch.zeros(40, 40, dtype=torch.int64)
    mask[10:20, 10:20], mask[30:, 30:] = 1, 255
    box = torch.tensor([[2.0, 4.0, 30.0, 36.0]])
    drawn = pictures._over(image, {"segmentation": mask, "box": box}, tasks)
    colour = tasks["segmentation"].picture(mask)[:, 15, 15]
    assert torch.equal(drawn[:, 15, 15], 50 + colour // 2)
    assert torch.equal(drawn[:, 35, 35], image[:, 35, 35]) and torch.equal(drawn[:, 0, 0], image[:, 0, 0])
    assert not torch.equal(drawn[:, 4, 15], image[:, 4, 15])  # the box's upper side
    assert torch.equal(pictures._over(image, {}, tasks), image)
