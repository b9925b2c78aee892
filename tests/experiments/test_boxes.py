"""Comparisons of tasks on boxes: regions, ensembles, torchvision's detectors, what they start from, predictions."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from experiments.mixed import DISJOINT, OF_REGIONS, OPTIONS, REGIONS, disjoint, of_regions, rooms
from PIL import Image

from taskweave.experiments.bench import Bench
from taskweave.experiments.comparison import compare
from taskweave.experiments.plan import all_runs, entries
from taskweave.experiments.predicting import predict_pictures
from taskweave.experiments.prepare import for_testing, for_training, grid_for
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.rows import score_of
from taskweave.experiments.starts.scenes import shared_body
from taskweave.metrics import AveragePrecision, LogAverageMissRate, Subset, reference_points
from taskweave.tasks.attributes import Attributes
from taskweave.tasks.detection import Detection
from taskweave.tasks.roi_detection import RoiDetection, TorchvisionDetection
from taskweave.training import read_state

START = {"use": "scenes", "steps": 1, "images": 4, "size": [32, 48], "batch_size": 2}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))


def test_the_task_is_the_one_of_its_network() -> None:
    tasks = {
        "rpn": Bench(disjoint()).shapes_only["detection"],
        "rois": Bench(of_regions()).shapes_only["detection"],
        "torchvision": Bench(torchvision()).shapes_only["detection"],
    }
    assert [type(task) for task in tasks.values()] == [Detection, RoiDetection, TorchvisionDetection]
    assert all(task.channels == 8 for task in tasks.values())  # 7 kinds of objects and background
    attributes = Bench(of_regions()).shapes_only["attributes"]
    assert isinstance(attributes, Attributes) and attributes.channels == 25


def test_options_arrive() -> None:
    metrics = [
        {"use": "log_average_miss_rate", "points": 17, "high": 100.0, "min_height": 15, "name": "far"},
        {"use": "average_precision", "interpolation": "11-point"},
    ]
    given = {"metrics": metrics, "nms": 0.1, "score": 0.2, "positive": 0.6, "sample": None}
    task = Bench(disjoint(tasks={"segmentation": {}, "detection": given})).shapes_only["detection"]
    assert isinstance(task, Detection)
    far, ap = (metric(task) for metric in task.metrics)
    assert isinstance(far, LogAverageMissRate) and isinstance(ap, AveragePrecision)
    assert torch.equal(far.references, reference_points(1e-2, 100.0, 17)) and far.subset == Subset(min_height=15)
    assert (ap.interpolation, ap.subset) == ("11-point", Subset())
    assert (task.suppression.nms, task.suppression.score) == (0.1, 0.2)
    assert (task.anchor_loss.matching.positive, task.anchor_loss.sampling.sample) == (0.6, None)
    assert dict(task.directions) == {"far": "lower", "mAP": "higher"}


def test_regions_in_training_and_in_tests() -> None:
    recipe = of_regions()
    part, data = Bench(recipe).sets["data"].train, recipe.data
    trained = for_training(part, data, seed=0)[0, 0]  # type: ignore[arg-type]
    assert trained["rois"].shape == (8, 4)
    assert trained["detection"]["labels"].shape == (8,) and trained["attributes"]["values"].shape == (8, 25)
    assert (trained["detection"]["labels"] > 0).sum() <= 2  # a quarter
    tested = for_testing(part, data)[0, 0]  # type: ignore[arg-type]
    assert len(tested["rois"]) == len(grid_for(data.regions, (48, 64)))  # type: ignore[union-attr, arg-type]
    known = for_testing(part, data, "true boxes")[0, 0]  # type: ignore[arg-type]
    torch.testing.assert_close(known["rois"], part[0]["attributes"]["boxes"].as_subclass(torch.Tensor))


@pytest.mark.slow
@pytest.mark.draws
def test_a_comparison_with_regions(tmp_path: Path) -> None:
    splits = [{"use": "shared", "until": until, "label": until} for until in ("pool1", "pool5", "fc7")]
    methods = [{"use": "ensemble"}, *splits, {"use": "shared_latent", "rank": 4}, *OF_REGIONS["methods"]]
    done = compare(of_regions(methods=methods, start=START), folder=tmp_path)
    assert done.finished
    for row in done.result.rows:
        assert list(row.metrics) == ["detection", "attributes"], row.method
    rows = {row.method: row for row in done.result.rows}
    assert rows["cross-stitch"].parameters - rows["single"].parameters == 5 * 4  # a 2 x 2 matrix at each of five places
    assert rows["fc7"].parameters < rows["pool5"].parameters < rows["pool1"].parameters < rows["single"].parameters
    assert rows["ensemble"].parameters == 2 * rows["single"].parameters
    # scores W_t = S_t L with L (4, 8): 8 + 25 rows of 8 become 33 x 4 and 4 x 8; boxes keep their own layer
    assert rows["shared latent"].parameters - rows["single"].parameters == 33 * 4 + 4 * 8 - 33 * 8
    assert set(done.result.constant) == {"attributes"}
    assert {path.name for path in done.pictures} >= {"detection.png", "attributes.png"}
    picture = tmp_path / "room.png"
    Image.new("RGB", (64, 48), (90, 120, 30)).save(picture)
    for method in ("single", "cross-stitch"):
        written = predict_pictures(tmp_path / "runs" / rows[method].runs[0], [picture], tmp_path / method)
        assert written and all(Image.open(path).size == (64, 48) for path in written)


def test_attributes_of_a_constant_are_as_good_as_how_often_they_are_there() -> None:
    """With one score for all every attribute has one point: recall 1 at the share of the boxes that have it."""
    recipe = of_regions()
    bench = Bench(recipe)
    values = torch.cat([sample["attributes"]["values"] for sample in bench.sets["data"].test])  # type: ignore[attr-defined]
    shares = values.mean(0)
    task = bench.tasks["attributes"]
    found = score_of("attributes", task, bench.sets["data"].test, constants=task.constants(None))
    assert found["mAP"] == pytest.approx(100 * float(shares[shares > 0].mean()), rel=1e-5)


def torchvision(options: dict[str, Any] | None = None) -> Recipe:
    detector = {"use": "torchvision_detector", "min_size": 64, "max_size": 64, "score": 0.05, **(options or {})}
    return disjoint(
        data=rooms(3, size=[64, 64]),
        tasks={"segmentation": {"loss_resolution": "eighth"}, "detection": {"use": "torchvision_detection"}},
        networks={
            "detection": detector,
            "segmentation": {"use": "deeplab_resnet", "body": "resnet18", "output_stride": 32, "head": {"rates": [1]}},
        },
        training={"single": OPTIONS, "connected": OPTIONS},
        further_tests={},
    )


@pytest.mark.parametrize(("detector", "prefix"), [("faster_rcnn", "roi_heads."), ("retinanet", "")])
def test_torchvision_detectors_suppress_as_the_task_says(detector: str, prefix: str) -> None:
    recipe = torchvision({"detector": detector, "nms": 0.1, "score": 0.2, "detections": 7})
    run = next(run for run in all_runs(entries(recipe)) if "single detection" in run.title)
    bench = Bench(run.recipe)
    tasks = bench.shapes_only
    with torch.device("meta"):
        net = run.method.build(run, tasks, bench.example("meta")).stream("detection").net
    holder = net.get_submodule("roi_heads") if prefix else net
    assert (holder.nms_thresh, holder.score_thresh, holder.detections_per_img) == (0.1, 0.2, 7)


def test_options_without_effect_are_refused() -> None:
    """Where the network chooses anchors or weighs its losses by itself."""
    anchors = {"use": "rpn_vgg16"}
    for use, option in (
        ("torchvision_detection", {"positive": 0.6}),
        ("roi_detection", {"positive": 0.6}),
        ("torchvision_detection", {"box_weight": 2.0}),
    ):
        with pytest.raises(ValueError, match=rf"unknown option '{next(iter(option))}' of {use}"):
            disjoint(tasks={"segmentation": {}, "detection": {"use": use, **option}})
    for recipe in (torchvision(), of_regions()):
        with pytest.raises(ValueError, match=r"'rpn_vgg16' gives anchors, and the task 'detection' .* reads (boxes|reg)"):
            Recipe.model_validate(recipe.dump() | {"networks": {**recipe.dump()["networks"], "detection": anchors}})
    given = {"detection": {"use": "roi_detection", "box_weight": 2.0}, "attributes": {}}
    assert of_regions(tasks=given).tasks["detection"].task.options["box_weight"] == 2.0


@pytest.mark.slow
def test_a_torchvision_detector_is_compared(tmp_path: Path) -> None:
    done = compare(torchvision(), folder=tmp_path)
    assert done.finished
    assert [list(row.metrics) for row in done.result.rows] == [["segmentation", "detection"]] * 2
    assert all(row.flops > 0 for row in done.result.rows)


@pytest.mark.slow
def test_the_start_is_trained_in_a_dense_network_of_the_same_body(tmp_path: Path) -> None:
    recipe = disjoint(start=START, methods=[])
    assert shared_body(recipe).name == "pspnet_vgg16"
    assert compare(recipe, folder=tmp_path).finished
    runs = {run.title: run for run in all_runs(entries(recipe))}
    state = read_state(tmp_path / "runs" / runs["bodies pre-trained on scenes"].digest / "weights.safetensors")
    bench = Bench(recipe)
    for task in ("detection", "segmentation"):
        run = runs[f"single {task}, seed 0"]
        net = bench.build(run, shapes_only=True)
        run.method.load(net, run, tmp_path / "runs")
        ours = net.stream(task).net.state_dict()
        for name in ("conv1_1", "conv5_3"):
            key = f"features.{name}.conv.weight"
            assert torch.equal(ours[key], state[f"streams.segmentation.net.{key}"]), (task, name)


def test_bodies_that_differ_have_no_common_start() -> None:
    networks = deepcopy(DISJOINT["networks"])
    networks["detection"]["width"] = 8
    with pytest.raises(ValueError, match=r"those of 'segmentation' and 'detection' have different ones"):
        shared_body(disjoint(networks=networks))
    with pytest.raises(ValueError, match="no dense counterpart of a torchvision_detector"):
        shared_body(torchvision())


def test_regions_of_a_file_are_for_the_pictures_in_it() -> None:
    data = rooms(3, "detection", regions={**REGIONS, "proposals": {"path": "p.npz"}})
    networks = {"detection": OF_REGIONS["networks"]["detection"]}
    recipe = of_regions(data=data, tasks={"detection": {"use": "roi_detection"}}, networks=networks)
    with pytest.raises(ValueError, match="are of the images in it only"):
        grid_for(recipe.data.regions, (48, 64))  # type: ignore[union-attr, arg-type]
