"""What a run is compared with while it trains, and how warnings reach the comparison."""

import csv
import json
import math

import pytest
from experiments.mixed import disjoint
from experiments.tiny import CONTENT, Told, tiny

from taskweave.experiments.comparison import compare
from taskweave.experiments.monitoring import monitor_of
from taskweave.experiments.plan import all_runs, entries
from taskweave.experiments.recipe import Recipe
from taskweave.reporting import write_charts
from taskweave.training.monitor.watch import Warned, write_warnings

USUAL = CONTENT["training"]["single"]


def runs_of(recipe: Recipe, role, trained=None):
    found = [run for run in all_runs(entries(recipe)) if run.schedule == role and not run.first]
    return [run for run in found if trained is None or run.trained == trained]


def store(run, runs, losses):
    """A finished training with these losses in its log, by step."""
    folder = runs / run.digest
    folder.mkdir(parents=True)
    lines = [f"step,loss.{run.trained[0]}", *(f"{step},{loss}" for step, loss in losses.items())]
    (folder / "log.csv").write_text("\n".join(lines) + "\n")
    (folder / "weights.safetensors").touch()


def test_fine_tuned_networks_are_compared_with_single_trained_on_from_the_same_start(tmp_path):
    recipe = tiny(single_trained_on=True)
    (connected,) = runs_of(recipe, "connected")
    on = {run.trained[0]: run for run in runs_of(recipe, "trained_on")}
    assert {run.trained[0]: run.parents for run in on.values()} == {p.trained[0]: (p,) for p in connected.parents}
    store(on["normals"], tmp_path, {2: 0.5, 4: 0.25})
    monitor = monitor_of(connected, tmp_path)
    reference = monitor.references["normals"]
    assert (reference.steps, reference.losses, reference.held) == ((2.0, 4.0), (0.5, 0.25), False)
    assert reference.of == on["normals"].title
    assert monitor.notes == (f"no gap of segmentation: {on['segmentation'].title} is not trained",)


def test_without_that_row_the_level_at_which_the_single_ones_ended_is_held(tmp_path):
    (connected,) = runs_of(tiny(), "connected")
    for parent in connected.parents:
        store(parent, tmp_path, {2: 4.0, 4: 1.0})
    reference = monitor_of(connected, tmp_path).references["normals"]
    assert reference.held and reference.of.endswith("at its end")
    assert reference.level(0, 1, window=5) == reference.level(7, 9, window=5) == pytest.approx(math.log(2))


@pytest.mark.parametrize(("batch", "scale"), [(2, 1.0), (4, 0.5)])
def test_shared_networks_are_compared_with_the_single_curve_after_as_many_pictures(tmp_path, batch, scale):
    training = {"single": USUAL, "connected": USUAL, "joint": {**USUAL, "batch_size": batch}}
    recipe = tiny(methods=[{"use": "shared", "until": "layer1"}], training=training)
    (joint,) = runs_of(recipe, "joint")
    (single,) = runs_of(recipe, "single", ("normals",))
    store(single, tmp_path, {2: 1.0, 4: 0.5})
    reference = monitor_of(joint, tmp_path).references["normals"]
    assert reference.steps == (2 * scale, 4 * scale) and reference.of == single.title
    assert monitor_of(single, tmp_path) is None


def test_another_optimiser_is_said(tmp_path):
    training = {"single": USUAL, "connected": USUAL, "joint": {**USUAL, "optimizer": {"use": "adam"}}}
    recipe = tiny(methods=[{"use": "shared", "until": "layer1"}], training=training)
    (single,) = runs_of(recipe, "single", ("normals",))
    store(single, tmp_path, {2: 1.0})
    (joint,) = runs_of(recipe, "joint")
    assert monitor_of(joint, tmp_path).references["normals"].of == f"{single.title} (another optimiser)"


def test_curves_are_compared_where_their_rates_are_about_alike(tmp_path):
    """(1 - s/8) ** .9 over (1 - s/4) ** .9 at s = 0, 1, 2, 3 is 1, 1.15, 1.44 and 2.28; three are below 1.5."""
    poly = {**USUAL, "steps": 4, "schedule": {"use": "poly", "power": 0.9}}
    training = {"single": poly, "connected": poly, "joint": {**poly, "steps": 8}}
    recipe = tiny(methods=[{"use": "shared", "until": "layer1"}], training=training)
    (single,), (joint,) = runs_of(recipe, "single", ("normals",)), runs_of(recipe, "joint")
    store(single, tmp_path, {step: 5.0 - step for step in (1, 2, 3, 4)})
    reference = monitor_of(joint, tmp_path).references["normals"]
    assert (reference.steps, reference.losses) == ((1.0, 2.0, 3.0), (4.0, 3.0, 2.0))
    assert reference.of == f"{single.title} (where the rates run alike, up to step 3)"
    store(runs_of(recipe, "single", ("segmentation",))[0], tmp_path, {4: 1.0})
    note = monitor_of(joint, tmp_path).notes
    assert len(note) == 1 and note[0].endswith("runs otherwise at every step")


def test_steps_of_a_mixture_count_turns(tmp_path):
    """Two sets, of which each task has one: it sees its pictures in every second step only."""
    recipe = disjoint(single_trained_on=True)
    (connected,) = runs_of(recipe, "connected")
    (on,) = runs_of(recipe, "trained_on", ("detection",))
    store(on, tmp_path, {1: 3.0, 2: 2.0})
    assert monitor_of(connected, tmp_path).references["detection"].steps == (2.0, 4.0)
    sized = disjoint(data={**recipe.dump()["data"], "mixture": {"use": "proportional"}})
    (connected,) = runs_of(sized, "connected")
    monitor = monitor_of(connected, tmp_path)
    assert not monitor.references and "no gap of detection: the proportional mixture" in monitor.notes[1]


def test_the_monitor_is_no_part_of_what_a_run_or_a_recipe_is_known_by():
    plain = tiny()
    training = {key: {**value, "monitor_every": 1} for key, value in CONTENT["training"].items()}
    watched = tiny(training=training)
    assert plain.digest() == watched.digest()
    assert [r.digest for r in all_runs(entries(plain))] == [r.digest for r in all_runs(entries(watched))]


@pytest.mark.slow
@pytest.mark.draws
def test_a_comparison_is_watched_and_brings_its_warnings(tmp_path):
    watched = {**USUAL, "steps": 4, "log_every": 1, "monitor_every": 2}
    recipe = tiny(single_trained_on=True, training={"single": watched, "connected": watched})
    progress = Told()
    write_charts(compare(recipe, folder=tmp_path, progress=progress).folder)
    (connected,) = runs_of(recipe, "connected")
    own = tmp_path / "runs" / connected.digest
    with (own / "monitor.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"] and all(row["gap.normals"] for row in rows)
    cosines = [column for column in rows[0] if column.startswith("cosine.")]
    assert cosines and all(-1 <= float(row[column]) <= 1 for row in rows[1::2] for column in cosines)
    assert sum(note.startswith("negative transfer: watching gap of") for note in progress.notes) == 1
    assert [path.name for path in sorted((tmp_path / "runs").glob("*/monitor.csv"))] == ["monitor.csv"]
    charts = {path.name for path in (tmp_path / "tiny" / "charts").glob("transfer-*")}
    names = {f"transfer-{name}.{kind}" for name in ("gaps", "cosines-cross-stitch") for kind in ("png", "svg")}
    assert charts == names
    write_warnings(own, [Warned("normals", "layer2", 30, "normals trains badly", until=60)])
    compare(recipe, folder=tmp_path)
    (warning,) = json.loads((tmp_path / "tiny" / "comparison.json").read_text())["warnings"]
    assert warning == {
        "method": "cross-stitch",
        "seed": 0,
        "task": "normals",
        "place": "layer2",
        "since": 30,
        "message": "normals trains badly; it ended at step 60",
    }
