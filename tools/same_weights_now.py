"""The networks of `same_weights_before.py` as recipes of today, trained: the other side of `same_weights.py`.

Where tensors are renamed, `KEYS` says so.
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

KEYS: tuple[tuple[str, str], ...] = ()
"""(regular expression, replacement) in this order, for keys of before: ``<role> <tasks trained> <seed>/<tensor>``."""

MEANT: dict[str, str] = {}
"""{network: why its weights are other ones now, on purpose}. One that is equal after all fails."""

SGD = {"use": "sgd", "lr": 1e-2, "momentum": 0.9}
ADAM = {"use": "adam", "lr": 1e-3}
OPTIONS: dict[str, Any] = {
    "steps": 3, "batch_size": 2, "precision": "32", "device": "cpu", "checkpoint_seconds": None, "optimizer": SGD,
}  # fmt: skip
NDDRS = {  # the paper's protocol: rates of last layers, weight decay by role, a schedule
    **OPTIONS, "last_layer_lr": 10.0, "bias_lr": 20.0, "weight_decay": 5e-4, "schedule": {"use": "poly", "power": 0.9},
}  # fmt: skip
AVERAGED = {
    **OPTIONS,
    "optimizer": {**ADAM, "use": "adamw"},
    "weight_decay": 1e-2,
    "ema": 0.15,
    "clip": 1.0,
    "accumulate": 2,
}
# three epochs of six images, for weightings that go by epochs
LONG = {**OPTIONS, "optimizer": ADAM, "steps": 9}

RESNET = {"use": "deeplab_resnet", "body": "resnet10t", "head": {"rates": [1, 2]}}
SEGNETS = {"widths": [4, 4, 8, 8, 8]}
SEGNET = {"use": "segnet_vgg16", **SEGNETS}
UNET = {"use": "st_unet", "widths": [4, 4, 8, 8]}
PSPNET = {"use": "pspnet_vgg16", "width": 4, "hidden": 8, "batch_norm": True, "bins": [1, 2]}
RPN = {"use": "rpn_vgg16", "width": 4, "hidden": 8, "batch_norm": True, "heights": [16, 32], "ratios": [1.0]}
FAST_RCNN = {"use": "fast_rcnn_alexnet", "hidden": 8}
PET_WIDTH = {"width": 2, "hidden": [6, 4]}
PET_NUMBERS = {"use": "pet_numbers_net", **PET_WIDTH}
PET_NETS = {"segmentation": {"use": "pet_map_net", "width": 2}, "species": PET_NUMBERS, "box": PET_NUMBERS}
OF_PETS = {**PET_WIDTH, "stem_kernel": 7, "sigmoid": True, "batch_statistics": True}
BRANCHES = {"branches": ["species", "box", "segmentation"]}
ON_SCENES = {"use": "scenes", "steps": 2, "images": 4, "size": [32, 48], "batch_size": 2}
GRID = {"proposals": {"scales": [0.4, 0.8]}, "count": 8, "with_ground_truth": True}
COLOUR = {"use": "colour", "strength": 0.2}


def rooms(seed: int = 3, *labels: str, size: tuple[int, int] = (32, 48), **more: Any) -> dict[str, Any]:
    """Generated pictures."""
    data = {"use": "scenes", "size": list(size), "train": 6, "test": 2, "seed": seed, "labels": list(labels)}
    return {**data, "augment": [COLOUR, "mirror"], **more}


def two_sets(**more: Any) -> dict[str, Any]:
    """A mixture in which each set labels one task."""
    sets = {"boxes": rooms(3, "detection", size=(48, 64)), "pixels": rooms(4, "segmentation", size=(48, 64), train=18)}
    return {"sets": sets, **more}


PETS = {"use": "pets_sample", "size": [80, 80]}
PIXELS = {"segmentation": {"loss_resolution": "eighth"}, "normals": {"weight": 2.0}}
OF_TWO_SETS: dict[str, Any] = {"segmentation": {}, "detection": {"score": 0.0}}
OF_A_PET = {"segmentation": {}, "species": {"use": "classification"}, "box": {"use": "box_regression"}}
BY_TASK = {"networks": {"detection": RPN, "segmentation": PSPNET}}


def recipe(method: Any, network: Any, data: Any = None, tasks: Any = None, options: Any = None, **more: Any) -> Any:
    """A recipe whose only row beside single networks is `method`. network: of all tasks, or {"networks": by task}."""
    options = options or OPTIONS
    return {
        "name": "tiny",
        "data": data or rooms(),
        "tasks": tasks or PIXELS,
        **(network if "networks" in network else {"network": network}),
        "methods": [method],
        "single_trained_on": False,
        "training": {"single": options, "connected": {**options, "steps": options["steps"] + 1}},
        "evaluation": {"batch_size": 2, "pictures": 0},
        **more,
    }


def networks(store: Path) -> dict[str, dict[str, Any]]:
    """The recipes, by name. store: where `pack` has packed a store."""
    turns = {"mixture": {"use": "constant_interval", "batches": 2}}
    by_size = {"mixture": {"use": "temperature", "t": 2.0}, "mixed_batches": True}
    own_norms = {**OPTIONS, "batch_norm": "per_data_set"}
    regions = rooms(3, "detection", "attributes", size=(48, 64), regions=GRID)
    of_regions = {"detection": {"use": "roi_detection", "nms": 0.3, "score": 0.0}, "attributes": {}}
    fast_rcnn = {"networks": {"detection": FAST_RCNN, "attributes": {**FAST_RCNN, "boxes": False}}}
    dwa = {"use": "dynamic_weight_average", "every": "iteration", "pre_weights": {"box": 0.5}}
    gated = {"use": "loss_gate", "below": {"species": 0.65, "box": 0.6}, "weighting": dwa}
    nddr = {"use": "connected", "unit": {"use": "nddr", "order": "paper", "initial": "xavier"}}
    shortcut = {"use": "shortcut", "channels": 32}
    of_a_pet = {"data": PETS, "tasks": OF_A_PET}
    pets = {"networks": PET_NETS}
    return {
        "single on pre-trained bodies": recipe("single", RESNET, options=AVERAGED, start=ON_SCENES),
        "single, trained on": recipe("single_trained_on", PSPNET),
        "ensemble": recipe("ensemble", UNET, options=AVERAGED),
        "shared with a shortcut": recipe({"use": "shared", "until": "conv4_3", "shortcut": shortcut}, PSPNET),
        "shared latent": recipe({"use": "shared_latent", "rank": 4}, RESNET, options={**OPTIONS, "optimizer": ADAM}),
        "cross-stitch with a shortcut": recipe({"use": "cross_stitch", "shortcut": "shortcut"}, RESNET, options=NDDRS),
        "NDDR, eq. 5": recipe(
            {"use": "nddr", "weighting": {"use": "variance_ratio", "window": 1}}, PSPNET, options={**NDDRS, "steps": 9}
        ),
        "NDDR trained on one task": recipe({"use": "one_task", "connected": nddr}, PSPNET),
        "sluice with layer mixing, geometric mean": recipe(
            {"use": "sluice", "orthogonality": 0.1, "weighting": "geometric_mean"}, RESNET
        ),
        "cross-connected under a mixture": recipe("cross_connection", BY_TASK, two_sets(**turns), OF_TWO_SETS, own_norms),
        "cross-connected with gates in mixed batches": recipe(
            {"use": "cross_connection", "gate": True}, BY_TASK, two_sets(**by_size), OF_TWO_SETS
        ),
        "scale layers, fixed weights": recipe(
            {"use": "scale_layer", "weighting": {"use": "fixed", "weights": {"normals": 3.0}}}, UNET
        ),
        "common stitch from the start": recipe({"use": "common_stitch", "start": "scratch"}, SEGNET),
        "cross-stitch, aggregated gradients": recipe(
            {"use": "cross_stitch", "rate": 10.0, "weighting": "gradient_aggregation"}, PSPNET
        ),
        "cross-stitch of regions": recipe({"use": "cross_stitch", "per": "layer"}, fast_rcnn, regions, of_regions),
        "cross-stitch from a store": recipe("cross_stitch", PSPNET, {"use": "stored", "path": str(store)}),
        "MT-UNet, DWA": recipe(
            {"use": "mt_unet", "network": UNET, "weighting": "dynamic_weight_average"}, UNET, options=LONG
        ),
        "MTAN, uncertainty": recipe({"use": "mtan_segnet", **SEGNETS, "weighting": "uncertainty"}, SEGNET),
        "Dense": recipe({"use": "dense_segnet", **SEGNETS}, SEGNET),
        "Split": recipe({"use": "split_segnet", **SEGNETS, "grown": "deep"}, SEGNET),
        "pet network as published": recipe(
            {"use": "pet_segnet", **OF_PETS, **BRANCHES, "initial": "published", "weighting": gated},
            pets,
            options=LONG,
            **of_a_pet,
        ),
        "OEQ, losses dropped": recipe(
            {"use": "pet_oeq", **OF_PETS, **BRANCHES, "first_weighting": gated, "unused_matrix": True}, pets, **of_a_pet
        ),
        "OEQ, fine-tuned": recipe({"use": "pet_oeq", **OF_PETS, **BRANCHES, "frozen": False}, pets, **of_a_pet),
    }


def pack(store: Path) -> None:
    """Pack the store that one of them reads: a train and a test part of generated rooms."""
    from taskweave.data import pack_store
    from taskweave.data.generated.scenes import Scenes

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
        first = not said["tasks"]  # what fresh networks start from is not measured
        name = "start" if first else f"{content['schedule']} {'+'.join(content['trained'])} {said['seed']}"
        weights = record.with_name("weights.safetensors")
        if weights.is_file():  # an ensemble has its members'
            tensors = {f"{name}/{key}": tensor for key, tensor in load_file(weights).items()}
            assert not tensors.keys() & found.keys(), f"two trainings are called {name}"
            found |= tensors
    return dict(sorted(found.items()))


def main(out: Path, only: str) -> None:
    """Train those whose names match a glob."""
    assert get_num_threads() == 1, "same_weights.py starts this with one thread"
    with tempfile.TemporaryDirectory() as place:
        store = Path(place) / "store"
        pack(store)
        for name, content in networks(store).items():
            if fnmatchcase(name, only):
                train(content, Path(place) / name)
                save_file(weights_in(Path(place) / name), out / f"{name}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
