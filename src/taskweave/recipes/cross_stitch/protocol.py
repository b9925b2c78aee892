"""What the cross-stitch paper's tables on NYUv2 have in common: its protocol, and the small size of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.usual import Given, Seeds, by_adam, place, varied

CAFFENET = Path("caffenet.safetensors")
"""CaffeNet trained on ImageNet."""
PLACES = ("pool1", "pool2", "pool5", "fc6", "fc7")
SIZE = (160, 208)
"""(height, width) of the small recipes' pictures."""
SCENES = {"use": "scenes", "steps": 400, "batch_size": 8, "images": 1000, "size": (96, 128)}
"""The start of the small recipes."""

SPLITS = {
    "conv2": "pool1",
    "conv3": "pool2",
    "conv4": "conv3",
    "conv5": "conv4",
    "fc6": "pool5",
    "fc7": "fc6",
    "last layer": "fc7",
}
"""Split s: s is the first layer that is not shared (see `taskweave.share`)."""


def splits(firsts: Sequence[str] = tuple(SPLITS)) -> list[Any]:
    """A row for each split."""
    return [{"use": "shared", "until": SPLITS[first], "label": f"split {first}"} for first in firsts]


def stitched(rate: float, own: float = 0.9, other: float = 0.1, **more: Any) -> dict[str, Any]:
    """Cross-stitch with units at so many times the base rate, and its weights at the start."""
    return {"use": "cross_stitch", "self_weight": own, "other_weight": other, "rate": rate, **more}


def rate(*, small: bool) -> float:
    """Of the units. Under Adam a weight moves by about the rate per step, whatever its gradient: they need a larger one."""
    return 10.0 if small else 1000.0


def full(table: str, methods: Sequence[Any], *, data: Given, seeds: Seeds, weights: Path, notes: str = "") -> Recipe:
    """A table at full size: what the paper states; where it names FCN's hyperparameters, those of that paper.

    data: NDDR's list files, which have these labels (default datasets/nyu_v2).  seeds: default 0; the paper names none.
    weights: ImageNet's CaffeNet, where every network starts but its last layer.
    """
    path = place(data, Path("datasets/nyu_v2"))
    return Recipe(
        name=f"cross_stitch-{table}",
        data={"use": "nyuv2_lists", "path": path, "statistics": "caffe", "augment": AUGMENT},
        tasks={
            "segmentation": {},
            "normals": {"use": "normals_by_codebook", "directions": 20, "manhattan": True},
        },
        network="fcn32s_alexnet",
        start={"use": "file", "path": weights},
        methods=methods,
        at=PLACES,
        training=full_training(),
        seeds=seeds or (0,),
        evaluation={"batch_size": 1},
        notes=(
            f"p001 {table}. Ours where the paper is silent: the rate (FCN's for AlexNet), the strength of the colours' "
            f"variation, the rank of MTL-shared. Single, trained on is our addition. {notes}"
        ).strip(),
    )


AUGMENT = ({"use": "colour", "strength": 0.2}, "mirror")
"""Pictures at their full size, varied in colour and mirrored."""


def full_training() -> dict[str, Any]:
    """25,000 and 15,000 steps alone, then 10,000 together; 30,000 of what is trained together from the start."""
    single = {
        "steps": 25_000,
        "batch_size": 20,
        "optimizer": {"use": "sgd", "lr": 1e-3, "momentum": 0.9},
        "weight_decay": {"streams": 5e-4, "heads": 5e-4, "connections": 0.0},
    }
    return {
        "single": single,
        "single_steps": {"normals": 15_000},
        "connected": {**single, "steps": 10_000},
        "joint": {**single, "steps": 30_000},
    }


def small(
    table: str,
    methods: Sequence[Any],
    *,
    data: Given,
    seeds: Seeds,
    size: tuple[int, int] = SIZE,
    training: Mapping[str, Any] | None = None,
) -> Recipe:
    """A table at a size for two cores. What differs from the full size differs for all methods alike.

    data: a folder of rgb/, depth/, label40/, gt_sets/ (default ../shared/data/nyuv2).  seeds: default 0.
    """
    path = place(data, Path("../shared/data/nyuv2"))
    return Recipe(
        name=f"cross_stitch-{table}-small",
        data={"use": "nyuv2_folder", "path": path, "classes": 40, "size": size, "augment": varied(size)},
        tasks={"segmentation": {}, "normals": {"use": "normals_by_codebook", "directions": 20}},
        network={"use": "fcn32s_alexnet", "hidden": 512},
        start=SCENES,
        methods=methods,
        at=PLACES,
        training=training or small_training(),
        seeds=seeds or (0,),
        evaluation={"batch_size": 8},
        notes=(
            f"p001 {table}, small: another size, width, start, amount of data and of training; no Manhattan alignment. "
            "Single, trained on is our addition."
        ),
    )


def small_training(steps: tuple[int, int, int] = (250, 150, 400), **connected: Any) -> dict[str, Any]:
    """Alone, more of it together, and together from the start. connected: changes of the second."""
    alone, tuned, joint = steps
    single = by_adam(alone, lr=3e-4)
    changed = {"steps": tuned, "optimizer": {"use": "adam", "lr": 1e-4}, **connected}
    return {"single": single, "connected": {**single, **changed}, "joint": {**single, "steps": joint}}
