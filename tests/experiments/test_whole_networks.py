"""Rows with networks of their own: built as one for all tasks, or a single network beside the recipe's."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from experiments.tiny import tiny
from safetensors.torch import save_file

from taskweave.experiments.artifacts.pictures import write_attention, write_pictures
from taskweave.experiments.bench import Bench
from taskweave.experiments.plan import Run, all_runs, entries
from taskweave.experiments.predicting import network_of
from taskweave.experiments.recipe import Recipe
from taskweave.experiments.running import train_run
from taskweave.networks import dense_segnet, mt_unet, mtan_segnet, split_segnet, st_unet
from taskweave.parts import part
from taskweave.results.folder import read_attention
from taskweave.training import read_state
from taskweave.weaving.connected import Connected

UNET = {"use": "st_unet", "widths": [4, 4, 4, 4]}
SEGNET = {"use": "segnet_vgg16", "widths": [4, 4, 4, 4, 4]}
STAN = SEGNET | {"use": "stan_segnet"}
WIDTHS = {"widths": [4, 4, 4, 4, 4]}
WHOLE = [
    {"use": "mt_unet", "network": UNET},
    {"use": "mt_unet", "network": UNET, "cross_talk": False},
    {"use": "mtan_segnet", **WIDTHS},
    {"use": "single", "network": STAN, "label": "STAN"},
    {"use": "cross_stitch", "network": SEGNET, "start": {"use": "scratch"}},
    {"use": "dense_segnet", **WIDTHS},
    {"use": "split_segnet", "grown": "deep", **WIDTHS},
    {"use": "common_stitch", "network": SEGNET, "start": {"use": "scratch"}},
]


TITLES = ("MT-UNet", "MTAN", "STAN segmentation", "cross-stitch", "Dense", "Split (deep)", "cross-stitch (one mixture)")


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
        "Dense",
        "Split (deep)",
        "cross-stitch (one mixture)",
    ]
    roles = {entry.row.title: [run.schedule for run in entry.runs] for entry in entries(recipe)}
    assert roles["single"] == roles["STAN"] == ["single", "single"]
    assert all(found == ["joint"] for title, found in roles.items() if title not in ("single", "STAN"))
    assert [run.title for run in entries(recipe)[4].runs] == ["STAN segmentation, seed 0", "STAN depth, seed 0"]


def widened(method: dict[str, Any]) -> dict[str, Any]:
    """The same method with twice the channels in the first block."""
    if "widths" in method:
        return method | {"widths": [8, *method["widths"][1:]]}
    return method | {"network": widened(method["network"])}


def test_they_are_known_by_their_own_network() -> None:
    for title in TITLES:
        other = whole(network={"use": "deeplab_resnet", "body": "resnet10t", "head": {"rates": [1]}}, at=["layer1"])
        assert find(whole(), title).digest == find(other, title).digest, title
    wider = [widened(method) for method in WHOLE]
    for title in TITLES:
        assert find(whole(), title).digest != find(whole(methods=wider), title).digest, title
    assert find(whole(), "MT-UNet").digest != find(whole(), "MT-UNet without cross-talk").digest
    assert whole().digest() != whole(methods=wider).digest()


BUILT = {
    "MT-UNet": partial(mt_unet, network=part(st_unet, widths=(4,) * 4)),
    "MT-UNet without cross-talk": partial(mt_unet, network=part(st_unet, widths=(4,) * 4), cross_talk=False),
    "MTAN": partial(mtan_segnet, widths=(4,) * 5),
    "Dense": partial(dense_segnet, widths=(4,) * 5),
    "Split (deep)": partial(split_segnet, widths=(4,) * 5, grown="deep"),
}


@pytest.mark.parametrize("title", BUILT)
def test_they_are_built_by_their_options(title: str) -> None:
    recipe = whole()
    run, bench = find(recipe, title), Bench(recipe)
    outputs = {name: task.channels for name, task in bench.shapes_only.items()}
    net = bench.build(run, shapes_only=True)
    theirs = BUILT[title](outputs)
    assert {k: v.shape for k, v in net.state_dict().items()} == {k: v.shape for k, v in theirs.state_dict().items()}


def _moved(run: Run, start: Run, folder: Path) -> float:
    """How far the first convolution of any stream of a run is from that of its start, which all tasks share."""
    found = [read_state(folder / "runs" / one.digest / "weights.safetensors") for one in (run, start)]
    now, then = ([v for k, v in state.items() if k.endswith(".features.conv1_1.conv.weight")] for state in found)
    return max(float((one - then[0]).abs().max()) for one in now)


def _has_masks(recipe: Recipe, bench: Bench, folder: Path) -> None:
    """Four decoder blocks of MT-UNet, ten blocks of MTAN; none of a network that is no whole, or has no attention."""
    written = {path.stem: path for path in write_attention(entries(recipe), bench, root=folder, place=folder / "masks")}
    assert set(written) == {"MT-UNet", "MT-UNet-without-cross-talk", "MTAN"}
    for title, blocks in (("MT-UNet", 4), ("MTAN", 10)):
        found = read_attention(written[title])
        assert found.images.shape == (1, 3, 32, 48)
        assert {task: len(of) for task, of in found.masks.items()} == {"segmentation": blocks, "depth": blocks}
    done = [entry for entry in entries(recipe) if entry.row.title in ("single", "MT-UNet")]
    names = {path.name for path in write_pictures(done, bench, root=folder, place=folder)}
    assert names == {"segmentation.png", "depth.png"}


@pytest.mark.slow
def test_every_one_trains_from_a_start_of_its_own_body(tmp_path: Path) -> None:
    """One pre-training for the U-Nets, one for the SegNets; STAN, MTAN, Dense and the rest begin with the latter."""
    scenes = {"use": "scenes", "steps": 1, "images": 4, "size": [32, 48], "batch_size": 2}
    methods = [method | ({"start": scenes} if "start" in method else {}) for method in WHOLE]
    recipe = whole(start=scenes, methods=methods)
    bench = Bench(recipe)
    for run in all_runs(entries(recipe)):
        assert train_run(run, bench, folder=tmp_path) is not None
    starts = {run.digest: run for run in all_runs(entries(recipe)) if run.first}
    assert len(starts) == 2
    (parent,) = find(recipe, "MTAN").parents
    for title in TITLES[1:]:
        run = find(recipe, title)
        assert [one.digest for one in run.parents] == [parent.digest]
        assert _moved(run, parent, tmp_path) < 0.2, f"{title}: four steps change no weight by more"
    _has_masks(recipe, bench, tmp_path)
    _, _, net = network_of(tmp_path / "runs" / find(recipe, "MTAN").digest)
    assert isinstance(net, Connected)
    assert list(net.streams) == ["segmentation", "depth"]


HEAD = {"use": "aspp_v3", "rates": [1, 2], "hidden": 8}
RESNET = {"use": "deeplab_resnet", "body": "resnet18", "head": HEAD}
MTAN_RESNET = {"use": "mtan_resnet", "network": RESNET}


def test_mtan_on_a_resnet_begins_with_its_body(tmp_path: Path) -> None:
    scenes = {"use": "scenes", "steps": 1, "images": 4, "size": [32, 48], "batch_size": 2}
    recipe = tiny(start=scenes, network=RESNET, methods=[MTAN_RESNET])
    run, bench = find(recipe, "MTAN"), Bench(recipe)
    state = bench.build(run, shapes_only=True).stream("normals").net.body.state_dict()
    stored = {f"streams.segmentation.net.body.{key}": torch.full_like(value, 0.25) for key, value in state.items()}
    path = tmp_path / run.parents[0].digest / "weights.safetensors"
    path.parent.mkdir()
    save_file(stored, path)
    net = bench.build(run, shapes_only=True)
    run.method.load(net, run, tmp_path)
    body, rest = net.stream("normals").net.body, net.stream("normals").net.attention
    assert all((value == 0.25).all() for value in body.parameters())
    assert not any((value == 0.25).all() for value in rest.parameters())


def test_what_does_not_fit_is_told() -> None:
    with pytest.raises(ValueError, match=r"unknown option 'shortcut' of mt_unet"):
        whole(methods=[WHOLE[0] | {"shortcut": "shortcut"}])
    with pytest.raises(ValueError, match=r"network is a deeplab_resnet with the head aspp_v3, got 'aspp'"):
        whole(methods=[{"use": "mtan_resnet", "network": RESNET | {"head": "aspp"}}])
    with pytest.raises(ValueError, match="the network 'fast_rcnn_alexnet' gives regions, and the task 'segmentation'"):
        whole(methods=[{"use": "cross_stitch", "network": {"use": "fast_rcnn_alexnet"}}])
    with pytest.raises(ValueError, match="unknown option 'network' of Connected"):
        whole(methods=[{"use": "one_task", "connected": {"use": "connected", "unit": "nddr", "network": UNET}}])
