"""Rows with networks of their own: built as one for all tasks, or a single network beside the recipe's."""

from pathlib import Path

import pytest
import torch
from evaluation.tiny import tiny

from taskweave.evaluation.bench import Bench
from taskweave.evaluation.building.networks import build_network
from taskweave.evaluation.comparison import compare
from taskweave.evaluation.planning import Run, all_runs, entries
from taskweave.evaluation.predicting import network_of
from taskweave.evaluation.recipe import Recipe
from taskweave.networks.mt_unet import mt_unet
from taskweave.networks.mtan_segnet import mtan_segnet
from taskweave.training.weights import read_state

UNET = {"kind": "st_unet", "widths": [4, 4, 4, 4]}
SEGNET = {"kind": "segnet_vgg16", "widths": [4, 4, 4, 4, 4]}
STAN = SEGNET | {"kind": "stan_segnet"}
WHOLE = [
    {"kind": "mt_unet", "network": UNET},
    {"kind": "mt_unet", "network": UNET, "cross_talk": False},
    {"kind": "mtan", "network": SEGNET},
    {"kind": "single", "network": STAN, "label": "STAN"},
    {"kind": "cross_stitch", "network": SEGNET, "start": {"kind": "scratch"}},
]


def whole(**changes: object) -> Recipe:
    return tiny(**{"network": UNET, "methods": WHOLE, "tasks": {"segmentation": {}, "depth": {}}, **changes})


def find(recipe: Recipe, title: str) -> Run:
    return next(run for run in all_runs(entries(recipe)) if run.title.startswith(f"{title}, seed"))


def test_their_runs() -> None:
    recipe = whole()
    assert [row.title for row in recipe.rows] == [
        "single",
        "MT-UNet",
        "MT-UNet without cross-talk",
        "MTAN",
        "STAN",
        "cross-stitch",
    ]
    roles = {entry.method.title: [run.role for run in entry.runs] for entry in entries(recipe)}
    assert roles["single"] == roles["STAN"] == ["single", "single"]
    assert roles["MT-UNet"] == roles["MTAN"] == roles["cross-stitch"] == ["joint"]
    assert [run.title for run in entries(recipe)[4].runs] == ["STAN segmentation, seed 0", "STAN depth, seed 0"]


def test_they_are_known_by_their_own_network() -> None:
    for title in ("MT-UNet", "MTAN", "STAN segmentation", "cross-stitch"):
        other = whole(network={"kind": "deeplab_resnet", "body": "resnet10t", "rates": [1]}, places=["layer1"])
        assert find(whole(), title).digest == find(other, title).digest, title
    wider = [
        method | {"network": method["network"] | {"widths": [8, *method["network"]["widths"][1:]]}} for method in WHOLE
    ]
    for title in ("MT-UNet", "MTAN", "STAN segmentation", "cross-stitch"):
        assert find(whole(), title).digest != find(whole(methods=wider), title).digest, title
    assert find(whole(), "MT-UNet").digest != find(whole(), "MT-UNet without cross-talk").digest
    assert whole().digest() != whole(methods=wider).digest()


@pytest.mark.parametrize("title", ["MT-UNet", "MTAN"])
def test_they_are_built_by_their_options(title: str) -> None:
    recipe = whole()
    run, bench = find(recipe, title), Bench(recipe)
    outputs = {name: task.channels for name, task in bench.shapes_only.items()}
    net = build_network(run, bench.shapes_only, bench.example())
    theirs = mt_unet(outputs, widths=[4] * 4) if title == "MT-UNet" else mtan_segnet(outputs, widths=[4] * 5)
    assert {k: v.shape for k, v in net.state_dict().items()} == {k: v.shape for k, v in theirs.state_dict().items()}


def test_every_one_trains_from_a_start_of_its_own_body(tmp_path: Path) -> None:
    """One pre-training for the U-Nets, one for the SegNets; STAN and MTAN begin with the latter."""
    scenes = {"kind": "scenes", "steps": 1, "images": 4, "size": [32, 48], "batch_size": 2}
    methods = [*WHOLE[:4], WHOLE[4] | {"start": scenes}]
    recipe = whole(start=scenes, methods=methods)
    done = compare(recipe, folder=tmp_path)
    assert done.finished and len(done.result.rows) == 6
    starts = {run.digest: run for run in all_runs(entries(recipe)) if run.role == "start"}
    assert len(starts) == 2
    mtan = find(recipe, "MTAN")
    (parent,) = mtan.parents
    assert parent.digest == find(recipe, "STAN depth").parents[0].digest == find(recipe, "cross-stitch").parents[0].digest
    states = [read_state(tmp_path / "runs" / run.digest / "weights.safetensors") for run in (parent, mtan)]
    kept = [k for k in states[0] if k.startswith("streams.segmentation.net.body.features.conv1_1") and k in states[1]]
    kept = [k for k in kept if states[0][k].ndim == 4]
    assert kept
    for key in kept:
        assert torch.allclose(states[0][key], states[1][key], atol=0.2), f"{key}: four steps change no weight by more"
    net = network_of(tmp_path / "runs" / mtan.digest)
    assert list(net.streams) == ["segmentation", "depth"]


def test_what_does_not_fit_is_told() -> None:
    with pytest.raises(ValueError, match=r"MT-UNet has no shortcut; leave `shortcut` out"):
        whole(methods=[WHOLE[0] | {"shortcut": {}}])
    with pytest.raises(ValueError, match="the network 'fast_rcnn_alexnet' predicts"):
        whole(methods=[{"kind": "cross_stitch", "network": {"kind": "fast_rcnn_alexnet"}}])
    with pytest.raises(ValueError, match="give the network to connected_trained_on_one_task itself"):
        whole(methods=[{"kind": "connected_trained_on_one_task", "connected": {"kind": "nddr", "network": UNET}}])
