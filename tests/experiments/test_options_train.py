"""Every option of tasks, data and networks goes through a whole training of two steps and its measuring."""

import math
from pathlib import Path
from typing import Any

import pytest
from data import trees
from experiments.tiny import tiny

from taskweave.experiments.comparison import compare
from taskweave.results.comparison import Row

AUGMENTED = [
    "mirror", {"use": "random_scale"}, {"use": "random_crop", "size": [32, 40]}, {"use": "colour", "strength": 0.3},
]  # fmt: skip
VARIANTS: dict[str, dict[str, Any]] = {
    "focal, huber, codebook with alignment; scale, crop, colour; Caffe's colours": {
        "tasks": {
            "segmentation": {"loss": "focal"},
            "depth": {"loss": "huber"},
            "normals": {"use": "normals_by_codebook", "directions": 5, "manhattan": True},
        },
        "data": {
            "use": "scenes", "size": [32, 48], "train": 8, "test": 4, "statistics": "caffe", "augment": AUGMENTED,
        },
        "network": {"use": "deeplab_resnet", "body": "resnet10t", "head": {"use": "aspp_v3", "hidden": 8},
                    "output_stride": 16},
    },
    "class weights, per image, l2, raw angles; crops by 1, 1.2, 1.5": {
        "tasks": {
            "segmentation": {"class_weights": "median_frequency", "miou": "per_image"},
            "depth": {"loss": "l2", "loss_resolution": "eighth"},
            "normals": {"loss": "l2", "angles": "raw_uint8"},
        },
        "data": {
            "use": "scenes", "size": [32, 48], "train": 8, "test": 4,
            "augment": ["zoom_crops"],
        },
    },
    "dice; bf16, EMA, clip, warm-up, accumulation, freezing": {
        "tasks": {"segmentation": {"loss": "dice"}},
        "training": {
            stage: {
                "steps": 2, "batch_size": 2, "accumulate": 2, "precision": "bf16", "ema": 0.9, "clip": 1.0,
                "schedule": {"use": "cosine", "warm_up": 1}, "optimizer": {"use": "adamw"}, "freeze": {"streams": 1},
            }
            for stage in ("single", "connected")
        },
    },
}  # fmt: skip
NETWORKS: dict[str, dict[str, Any]] = {
    "deeplab_vgg16": {"use": "deeplab_vgg16", "head": {"hidden": 8}, "batch_norm": False},
    "deeplab_vgg16 aspp": {"use": "deeplab_vgg16", "head": {"use": "aspp", "hidden": 8}},
    "fcn32s_alexnet": {"use": "fcn32s_alexnet", "hidden": 8},
    "fcn32s_alexnet torchvision": {"use": "fcn32s_alexnet", "hidden": 8, "body": "torchvision"},
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKWEAVE_CACHE", str(tmp_path / "cache"))


def single(folder: Path, **changes: Any) -> Row:
    done = compare(tiny(methods=[], **changes), folder=folder)
    assert done.finished
    (row,) = done.result.rows
    return row


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_options(name: str, tmp_path: Path) -> None:
    variant = VARIANTS[name]
    row = single(tmp_path, **variant)
    assert set(row.metrics) == set(variant["tasks"])
    values = [value for metrics in row.metrics.values() for value in metrics.values()]
    assert all(value is not None and math.isfinite(value) for value in values), row.metrics


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name: str, tmp_path: Path) -> None:
    row = single(tmp_path, network=NETWORKS[name], tasks={"depth": {}}, evaluation={"pictures": 0})
    assert row.metrics["depth"]["abs"] is not None


ALL = ("segmentation", "depth", "normals")
READERS: dict[str, tuple[Any, tuple[str, str], tuple[str, ...], dict[str, Any]]] = {
    "nyuv2_folder": (trees.write_folder, ("train", "val"), ALL, {}),
    "nyuv2_mtan": (trees.write_mtan, ("train", "val"), ALL, {"classes": 13}),
    "nyuv2_lists": (trees.write_lists, ("training", "testing"), ("segmentation", "normals"), {}),
    "nyud_mt": (trees.write_nyud_mt, ("train", "val"), ALL, {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", READERS)
def test_readers(kind: str, tmp_path: Path) -> None:
    write, splits, labels, options = READERS[kind]
    for split in splits:
        write(tmp_path / "data", split)
    data = {"use": kind, "path": str(tmp_path / "data"), "size": [24, 32], **options}
    row = single(tmp_path, data=data, tasks={label: {} for label in labels}, evaluation={"pictures": 0})
    assert set(row.metrics) == set(labels)
    assert row.metrics["segmentation"]["pixacc"] is not None


@pytest.mark.slow
def test_the_mat_reader(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    trees.write_mat(tmp_path)
    data = {
        "use": "nyuv2_mat", "path": str(tmp_path / "nyu_depth_v2_labeled.mat"), "size": [24, 32], "classes": 13,
        "splits": str(tmp_path / "splits.mat"), "class_map": str(tmp_path / "classMapping40.mat"),
        "validation_share": 0.25,
    }  # fmt: skip
    row = single(tmp_path, data=data, tasks={label: {} for label in ALL}, evaluation={"pictures": 0})
    assert set(row.metrics) == set(ALL)


def test_a_label_that_the_data_have_not(tmp_path: Path) -> None:
    trees.write_lists(tmp_path / "data")
    data = {"use": "nyuv2_lists", "path": str(tmp_path / "data"), "size": [24, 32]}
    with pytest.raises(ValueError, match=r"tasks \['depth'\]: 'data' has \['segmentation', 'normals'\]"):
        compare(tiny(data=data, tasks={"segmentation": {}, "depth": {}}), folder=tmp_path)
