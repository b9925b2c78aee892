"""Comparisons over several data sets: what is trained on which, what is tested where, what counts."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from experiments.mixed import DISJOINT, OPTIONS, disjoint, rooms
from experiments.tiny import Told, tiny

from taskweave.data.mixture import Mixture
from taskweave.experiments.bench import Bench
from taskweave.experiments.columns import columns_of
from taskweave.experiments.comparison import Comparison, compare
from taskweave.experiments.overrides import with_settings
from taskweave.experiments.plan import Run, all_runs, entries
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.running import _train_part
from taskweave.reporting import write_charts
from taskweave.results.summary import summarise
from taskweave.training import read_state

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKWEAVE_CACHE", str(cache))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Comparison:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TASKWEAVE_CACHE", str(cache))
        return compare(disjoint(), folder=tmp_path_factory.mktemp("results"))


def find(recipe: Recipe, title: str) -> Run:
    return next(run for run in all_runs(entries(recipe)) if run.title == title)


def test_columns() -> None:
    names = [(c.name, c.task, c.data, c.further) for c in columns_of(disjoint())]
    assert names == [
        ("segmentation", "segmentation", "pixels", False),
        ("detection", "detection", "boxes", False),
        ("detection on elsewhere", "detection", "elsewhere", True),
    ]
    both = disjoint(data={"sets": {"a": rooms(3), "b": rooms(4, "segmentation")}}, further_tests={})
    assert [c.name for c in columns_of(both)] == ["segmentation", "segmentation on b", "detection"]


def test_rows_have_every_column_and_the_further_test_does_not_count(finished: Comparison) -> None:
    assert finished.finished
    for row in finished.result.rows:
        assert list(row.metrics) == ["segmentation", "detection", "detection on elsewhere"]
        assert list(row.metrics["detection on elsewhere"]) == ["mAP"]
    assert finished.result.further == ("detection on elsewhere",)
    gain = summarise(finished.result)[1].relative_gain
    row = finished.result.rows[1]
    other = row.model_copy(update={"metrics": {**row.metrics, "detection on elsewhere": {"mAP": 77.0}}})
    changed = finished.result.model_copy(update={"rows": (finished.result.rows[0], other)})
    assert summarise(changed)[1].relative_gain == gain
    assert {"segmentation"} == set(finished.result.constant)  # a constant box says nothing
    assert (finished.folder / "pictures" / "detection-on-elsewhere.png").is_file()
    write_charts(finished.folder)
    for name in ("detection-curves.png", "detection-on-elsewhere-curves.svg"):
        assert (finished.folder / "charts" / name).is_file(), name


def test_a_run_is_trained_on_the_sets_of_its_tasks_only() -> None:
    recipe = disjoint(methods=[{"use": "one_task", "connected": {"use": "connected", "unit": "cross_connection"}}])
    bench, name = Bench(recipe), "cross-connected, trained on one task detection, seed 0"
    alone = _train_part(find(recipe, name), bench)
    assert [alone[i, 0]["key"] for i in range(len(alone))] == [f"scenes-3-{i:06d}" for i in range(6)]
    assert list(find(recipe, "single segmentation, seed 0").sets) == ["pixels"]
    both = _train_part(find(disjoint(), "cross-connected, seed 0"), Bench(disjoint()))
    assert isinstance(both, Mixture)
    assert both.sizes == {"boxes": 6, "pixels": 6}
    batches = list(both.order(2, seed=0, first=0, last=4))
    assert [{both[at]["source"] for at in batch} for batch in batches] == [{"boxes"}, {"pixels"}, {"boxes"}, {"pixels"}]


def test_every_task_sees_as_many_images() -> None:
    one = {"use": "one_task", "connected": {"use": "connected", "unit": "cross_connection"}, "label": "one"}
    recipe = disjoint(methods=[one, {"use": "shared", "until": "conv1_2"}], single_trained_on=True)
    steps = {run.title: run.steps for run in all_runs(entries(recipe))}
    assert steps["single, trained on detection, seed 0"] == 2  # half of the 4 turns that both sets share
    assert steps["one detection, seed 0"] == 2
    assert steps["shared until conv1_2, seed 0"] == 2 * 2 + 4  # two of each set, as the singles, and 4 turns
    assert find(recipe, "one detection, seed 0").options.batch_norm == "shared"  # type: ignore[union-attr]


def test_runs_on_one_set_are_shared_with_recipes_of_that_set_alone() -> None:
    title, mixed = "single segmentation, seed 0", disjoint()
    alone = disjoint(
        data=rooms(4, "segmentation"),
        tasks={"segmentation": {"loss_resolution": "eighth"}},
        networks={"segmentation": deepcopy(DISJOINT["networks"]["segmentation"])},
        further_tests={},
        methods=[],
        training={"single": OPTIONS, "connected": OPTIONS},
    )
    assert find(mixed, title).digest == find(alone, "single, seed 0").digest
    swapped = deepcopy(DISJOINT)
    swapped["data"]["sets"] = dict(reversed(swapped["data"]["sets"].items()))
    both = "cross-connected, seed 0"
    assert find(Recipe.model_validate(swapped), title).digest == find(mixed, title).digest
    assert find(Recipe.model_validate(swapped), both).digest != find(mixed, both).digest  # other turns


@pytest.mark.slow
def test_a_new_further_test_trains_nothing_and_old_ones_stay(finished: Comparison) -> None:
    told, root = Told(), finished.folder.parent
    more = disjoint(name="more", further_tests={"far": {"data": rooms(11, "detection")}})
    done = compare(more, folder=root, progress=told)
    assert not [n for n in told.begun if n == ("training", 2) or n == ("training", 4)]
    assert list(done.result.rows[0].metrics) == ["segmentation", "detection", "detection on far"]
    again = compare(disjoint(), folder=root, progress=told)
    assert again.result.rows == finished.result.rows


def test_statistics_per_data_set_are_used_for_their_own_tests(finished: Comparison) -> None:
    """The network's own statistics, for further tests, are the mean over both data sets'."""
    folder = finished.folder.parent / "runs" / find(disjoint(), "cross-connected, seed 0").digest
    pooled = read_state(folder / "weights.safetensors")["streams.detection.net.features.conv1_1.norm.running_mean"]
    own = read_state(folder / "statistics.safetensors")
    means = [v for k, v in own.items() if k.endswith("streams.detection.net.features.conv1_1.norm.running_mean")]
    assert len(means) == 2 and not torch.equal(*means)
    torch.testing.assert_close(pooled, torch.stack(means).mean(0))


def refused(**changes: Any) -> str:
    with pytest.raises(ValueError) as caught:
        disjoint(**changes)
    return str(caught.value)


def mixture(**sets: Any) -> dict[str, Any]:
    return {"sets": sets}


def test_what_does_not_fit_is_refused_before_anything_is_opened() -> None:
    pixels, boxes = rooms(4, "segmentation"), rooms(3, "detection")
    assert "no data set is labelled for the tasks ['segmentation']: 'a' has ['detection']" in refused(data=mixture(a=boxes))
    assert "'a' is labelled for" in refused(data=mixture(a=rooms(1, "depth"), b=boxes, c=pixels))
    csv = {"use": "box_csv", "path": "/nowhere", "classes": ["mill"]}
    message = refused(data=mixture(a=boxes, b=pixels, c=csv))
    assert "'a' and 'c' define the task 'detection' with different classes: 7 (door, picture, rug, table, ...)" in message
    assert "1 (mill)" in message
    assert "further test" in refused(further_tests={"boxes": {"data": boxes}})
    assert "not labelled for ['attribute']" in refused(data=mixture(a=rooms(1, "attribute"), b=pixels))
    assert "statistics must be equal" in refused(data=mixture(a={**boxes, "statistics": "caffe"}, b=pixels))
    other = {**pixels, "size": [32, 48]}
    assert "one size of training images" in refused(data={**mixture(a=boxes, b=other), "mixed_batches": True})
    assert "needs a validation part" in refused(training={"single": {**OPTIONS, "choose": "best"}, "connected": OPTIONS})


def test_networks_that_do_not_fit_are_refused() -> None:
    networks = deepcopy(DISJOINT["networks"])
    message = refused(network=networks["detection"], networks={})
    assert (
        "'rpn_vgg16' gives anchors, and the task 'segmentation' (segmentation) reads map; give the task another" in message
    )
    assert "names ['depth'], no tasks of this recipe" in refused(networks={**networks, "depth": networks["segmentation"]})
    assert "'segmentation' has no network" in refused(networks={"detection": networks["detection"]})
    looking = {**networks, "detection": {"use": "fast_rcnn_alexnet"}}
    tasks = {**DISJOINT["tasks"], "detection": {"use": "roi_detection"}}
    message = refused(networks=looking, tasks=tasks)
    assert "looks at regions, and the data ['boxes', 'pixels', 'elsewhere'] have none" in message
    misspelt = refused(networks={**networks, "detection": {"use": "rpn_vgg16", "wdith": 4}})
    assert "networks.detection: unknown option 'wdith' of rpn_vgg16, did you mean 'width'?" in misspelt


def test_settings_reach_into_a_mixture() -> None:
    changed = with_settings(disjoint(), ["data.sets.boxes.train=5", "data.mixture.batches=3"])
    assert changed.dump()["data"]["sets"]["boxes"]["train"] == 5
    assert changed.dump()["data"]["mixture"] == {"use": "constant_interval", "batches": 3}


def test_new_fields_change_no_hash_of_recipes_without_them() -> None:
    """Runs that were stored before there were boxes and mixtures are still found."""
    run = all_runs(entries(tiny()))[0]
    assert "labels" not in json.dumps(run.content["data"])
    assert run.content["tasks"]["segmentation"] == {"use": "segmentation", "loss_resolution": "eighth"}
