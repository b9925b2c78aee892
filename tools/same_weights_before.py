"""Tiny networks as the recipes of commit 9dcb0d1 say them, trained: one side of `same_weights.py`, which runs this file.

    PYTHONPATH=<checkout of 9dcb0d1>/src .venv/bin/python tools/same_weights_before.py OUT '*'

Writes OUT/<network>.safetensors: the final weights of each of the network's trainings, as
``<role> <tasks trained> <seed>/<name of the tensor>``. Not to be edited: what changes since is `same_weights_now.py`'s.
"""

from __future__ import annotations

import json
import sys
import tempfile
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor, get_num_threads

SGD = {"kind": "sgd", "lr": 1e-2, "momentum": 0.9}
ADAM = {"kind": "adam", "lr": 1e-3}
OPTIONS: dict[str, Any] = {
    "steps": 3, "batch_size": 2, "precision": "32", "device": "cpu", "checkpoint_seconds": None, "optimizer": SGD,
}  # fmt: skip
NDDRS = {  # the paper's protocol: rates of last layers, weight decay by role, a schedule
    **OPTIONS, "last_layer_lr": 10.0, "bias_lr": 20.0, "weight_decay": 5e-4, "schedule": {"kind": "poly", "power": 0.9},
}  # fmt: skip
AVERAGED = {
    **OPTIONS,
    "optimizer": {**ADAM, "kind": "adamw"},
    "weight_decay": 1e-2,
    "ema": 0.15,
    "clip": 1.0,
    "accumulate": 2,
}
# three epochs of six images, for weightings that go by epochs
LONG = {**OPTIONS, "optimizer": ADAM, "steps": 9}

RESNET = {"kind": "deeplab_resnet", "body": "resnet10t", "rates": [1, 2]}
SEGNET = {"kind": "segnet_vgg16", "widths": [4, 4, 8, 8, 8]}
UNET = {"kind": "st_unet", "widths": [4, 4, 8, 8]}
PSPNET = {"kind": "pspnet_vgg16", "width": 4, "hidden": 8, "batch_norm": True, "bins": [1, 2]}
RPN = {"kind": "rpn_vgg16", "width": 4, "hidden": 8, "batch_norm": True, "heights": [16, 32], "ratios": [1.0]}
PET_NET = {"kind": "pet_net", "width": 2, "hidden": [6, 4]}
OF_PETS = {"kind": "pet_net", "width": 2, "hidden": [6, 4], "stem_kernel": 7, "sigmoid": True, "batch_statistics": True}
ON_SCENES = {"kind": "scenes", "steps": 2, "images": 4, "size": [32, 48], "batch_size": 2}
GRID = {"proposals": {"kind": "grid", "scales": [0.4, 0.8]}, "count": 8, "with_ground_truth": True}


def rooms(seed: int = 3, *labels: str, size: tuple[int, int] = (32, 48), **more: Any) -> dict[str, Any]:
    """Generated pictures."""
    data = {"kind": "scenes", "size": list(size), "train": 6, "test": 2, "seed": seed, "labels": list(labels)}
    return {**data, "augmentation": {"mirror": True, "colour": 0.2}, **more}


def two_sets(**more: Any) -> dict[str, Any]:
    """A mixture in which each set labels one task."""
    sets = {"boxes": rooms(3, "detection", size=(48, 64)), "pixels": rooms(4, "segmentation", size=(48, 64), train=18)}
    return {"kind": "mixture", "sets": sets, **more}


PETS = {"kind": "pets_sample", "size": [80, 80], "augmentation": {"mirror": True}}
PIXELS = {"segmentation": {"loss_resolution": "eighth"}, "normals": {"weight": 2.0}}
OF_TWO_SETS = {"segmentation": {}, "detection": {"score": 0.0}}
OF_A_PET = {"segmentation": {}, "species": {}, "box": {}}
PER_TASK = {"kind": "per_task", "networks": {"detection": RPN, "segmentation": PSPNET}}


def recipe(
    method: dict[str, Any], network: dict[str, Any], data: Any = None, tasks: Any = None, options: Any = None, **more: Any
) -> dict[str, Any]:
    """A recipe whose only row beside single networks is `method`."""
    options = options or OPTIONS
    return {
        "name": "tiny",
        "data": data or rooms(),
        "tasks": tasks or PIXELS,
        "network": network,
        "methods": [method],
        "single_trained_on": False,
        "training": {"single": options, "connected": {**options, "steps": options["steps"] + 1}},
        "evaluation": {"batch_size": 2, "pictures": 0},
        **more,
    }


def networks(store: Path) -> dict[str, dict[str, Any]]:
    """The recipes, by name. store: where `pack` has packed a store."""
    turns = {"schedule": {"kind": "constant_interval", "batches": 2}}
    by_size = {"schedule": {"kind": "temperature", "t": 2.0}, "mixed_batches": True}
    own_norms = {**OPTIONS, "batch_norm": "per_data_set"}
    regions = rooms(3, "detection", "attributes", size=(48, 64), regions=GRID)
    fast_rcnn = {"kind": "fast_rcnn_alexnet", "hidden": 8}
    gated = {"kind": "dwa", "every": "iteration", "pre_weights": {"box": 0.5}, "drop_below": {"species": 0.65, "box": 0.6}}
    nddr = {"kind": "nddr", "order": "paper", "initial": "xavier"}
    return {
        "single on pre-trained bodies": recipe({"kind": "single"}, RESNET, options=AVERAGED, start=ON_SCENES),
        "single, trained on": recipe({"kind": "single_trained_on"}, PSPNET),
        "ensemble": recipe({"kind": "ensemble"}, UNET, options=AVERAGED),
        "shared with a shortcut": recipe({"kind": "shared", "until": "conv4_3", "shortcut": {"channels": 32}}, PSPNET),
        "shared latent": recipe({"kind": "shared_latent", "rank": 4}, RESNET, options={**OPTIONS, "optimizer": ADAM}),
        "cross-stitch with a shortcut": recipe({"kind": "cross_stitch", "shortcut": {}}, RESNET, options=NDDRS),
        "NDDR, eq. 5": recipe(
            {"kind": "nddr", "weighting": {"kind": "variance_ratio", "window": 1}}, PSPNET, options={**NDDRS, "steps": 9}
        ),
        "NDDR trained on one task": recipe({"kind": "connected_trained_on_one_task", "connected": nddr}, PSPNET),
        "sluice with layer mixing, geometric mean": recipe(
            {"kind": "sluice", "orthogonality": 0.1, "weighting": {"kind": "geometric_mean"}}, RESNET
        ),
        "cross-connected under a mixture": recipe(
            {"kind": "cross_connected"}, PER_TASK, two_sets(**turns), OF_TWO_SETS, own_norms
        ),
        "cross-connected with gates in mixed batches": recipe(
            {"kind": "cross_connected", "gate": True}, PER_TASK, two_sets(**by_size), OF_TWO_SETS
        ),
        "scale layers, fixed weights": recipe(
            {"kind": "scale_layer", "weighting": {"kind": "fixed", "weights": {"normals": 3.0}}}, UNET
        ),
        "common stitch from the start": recipe({"kind": "common_stitch", "start": {"kind": "scratch"}}, SEGNET),
        "cross-stitch, aggregated gradients": recipe(
            {"kind": "cross_stitch", "lr_multiplier": 10.0, "weighting": {"kind": "aggregation"}}, PSPNET
        ),
        "cross-stitch of regions": recipe(
            {"kind": "cross_stitch", "per": "layer"},
            fast_rcnn,
            regions,
            {"detection": {"nms": 0.3, "score": 0.0}, "attributes": {}},
        ),
        "cross-stitch from a store": recipe({"kind": "cross_stitch"}, PSPNET, {"kind": "store", "path": str(store)}),
        "MT-UNet, DWA": recipe({"kind": "mt_unet", "network": UNET, "weighting": {"kind": "dwa"}}, UNET, options=LONG),
        "MTAN, uncertainty": recipe({"kind": "mtan", "network": SEGNET, "weighting": {"kind": "uncertainty"}}, SEGNET),
        "Dense": recipe({"kind": "dense", "network": SEGNET}, SEGNET),
        "Split": recipe({"kind": "split", "network": SEGNET, "grown": "deep"}, SEGNET),
        "pet network as published": recipe(
            {"kind": "pet_segnet", "network": OF_PETS, "initial": "published", "weighting": gated},
            PET_NET,
            PETS,
            OF_A_PET,
            LONG,
        ),
        "OEQ, losses dropped": recipe(
            {"kind": "pet_oeq", "network": OF_PETS, "auxiliary_weighting": gated, "unused_matrix": True},
            PET_NET,
            PETS,
            OF_A_PET,
        ),
        "OEQ, fine-tuned": recipe({"kind": "pet_oeq", "network": OF_PETS, "frozen": False}, PET_NET, PETS, OF_A_PET),
    }


def pack(store: Path) -> None:
    """Pack the store that one of them reads: a train and a test part of generated rooms."""
    from taskweave.data import Scenes, pack_store

    parts = {name: Scenes(count, size=(32, 48), seed=seed) for name, count, seed in (("train", 6, 3), ("test", 2, 4))}
    pack_store(parts, store)


def train(content: dict[str, Any], folder: Path) -> None:
    """Train the last row of a recipe and what it needs; results in `folder`."""
    import taskweave as tw

    tw.run(tw.Recipe.model_validate(content), folder=folder)


def weights_in(folder: Path) -> dict[str, Tensor]:
    """The final weights of every training that lies in a folder of results."""
    found: dict[str, Tensor] = {}
    for record in folder.glob("runs/*/run.json"):
        said = json.loads(record.read_text())
        content = said["content"]
        start = content["role"] == "start"
        name = "start" if start else f"{content['role']} {'+'.join(content['trained'])} {said['seed']}"
        weights = record.with_name("weights.safetensors")
        if weights.is_file():  # an ensemble has its members'
            tensors = {f"{name}/{key}": tensor for key, tensor in load_file(weights).items()}
            assert not tensors.keys() & found.keys(), f"two trainings are called {name}"
            found |= tensors
    return dict(sorted(found.items()))


def main(out: Path, only: str) -> None:
    """Train those whose names match a glob and that `out` does not hold yet."""
    assert get_num_threads() == 1, "same_weights.py starts this with one thread"
    with tempfile.TemporaryDirectory() as place:
        store = Path(place) / "store"
        pack(store)
        for name, content in networks(store).items():
            file = out / f"{name}.safetensors"
            if fnmatchcase(name, only) and not file.is_file():
                train(content, Path(place) / name)
                save_file(weights_in(Path(place) / name), file.with_suffix(".part"))
                file.with_suffix(".part").rename(file)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
