"""What the cross-connected paper's tables have in common: networks, methods, and the small size of both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from taskweave.recipes.beside import Rows
from taskweave.recipes.usual import by_adam, varied

SMALL = (128, 160)
"""(height, width) of the pictures of the small recipes."""

STEPS = 150
"""Of a single network in the small recipes."""

SHARES = {1: "conv1_2", 2: "conv2_2", 3: "conv3_3", 4: "conv4_3"}
"""Share k has one trunk up to the k-th pooling layer: 2, 4, 7 and 10 convolutions. Pools have no weights."""

PRINTED: Rows = {
    "single": ("Single-task (RPN)", "Single-task (VGG16-PSPNet)"),
    "single-task cross-connected": ("Single-task cross-connected (Det)", "Single-task cross-connected (Seg)"),
    **{f"share {k}": (f"Share {k}",) for k in SHARES},
    "cross-stitch": ("Cross-stitch",),
    "cross-connected": ("Cross-connected (proposed)",),
}
"""The paper's rows, in both of its tables."""


def methods(*, rate: float) -> list[Any]:
    """The paper's rows in its order, under the single networks, from which all of them start (its section 2).

    rate: of the scale layers alone, which are numbers, not convolutions.
    """
    crossed = {"use": "connected", "unit": "cross_connection"}
    return [
        {"use": "one_task", "connected": crossed, "label": "single-task cross-connected"},
        *({"use": "shared", "until": until, "start": "single", "label": f"share {k}"} for k, until in SHARES.items()),
        {"use": "scale_layer", "label": "cross-stitch", "rate": rate},
        "cross_connection",
    ]


def networks(heights: tuple[float, ...], ratios: tuple[float, ...], **width: Any) -> dict[str, Any]:
    """A region proposal network as the detector, PSPNet for segmentation, both on VGG-16. heights, ratios: of anchors."""
    return {
        "detection": {"use": "rpn_vgg16", "heights": heights, "ratios": ratios, **width},
        "segmentation": {"use": "pspnet_vgg16", **width},
    }


PERSONS: tuple[float, ...] = (28, 38, 52, 70, 94, 127)
"""Heights of the small recipes' anchors for persons."""


def small_networks(heights: tuple[float, ...] = PERSONS, ratios: tuple[float, ...] = (0.41,)) -> dict[str, Any]:
    """A quarter of VGG-16's width, a sixteenth of its operations. heights, ratios: of anchors, by default for persons."""
    return networks(heights, ratios, width=16, batch_norm=True, hidden=128)


SMALL_START = {"use": "scenes", "steps": 400, "batch_size": 8, "images": 1000, "size": SMALL}
"""The body of all small networks."""


def small_set(use: str, path: Path, *, size: tuple[int, int] = SMALL, **more: Any) -> dict[str, Any]:
    """A small recipe's data to train on."""
    return {"use": use, "path": path, "size": size, "augment": varied(size), **more}


def persons_of_apascal(path: Path) -> dict[str, Any]:
    """A further test of the small recipes."""
    data = {"use": "apascal", "path": path, "classes": ("person",), "labels": ("detection",)}
    return {"aPascal": {"data": {**data, "size": SMALL, "keep_aspect": True}}}


def small_tasks(*, target_class: str = "") -> dict[str, Any]:
    """Detection of persons by two measures, and segmentation averaged over pixels."""
    return {
        "segmentation": {"loss_resolution": "eighth", "target_class": target_class},
        "detection": {
            "metrics": ["log_average_miss_rate", {"use": "average_precision", "name": "AP"}],
            "nms": 0.5,
            "positive": 0.6,
            "negative": 0.3,
            "sample": 128,
        },
    }


def small_training_of_one_set() -> dict[str, Any]:
    """For data that label both tasks: 150 batches of 8 for every single network, half as many more together.

    Chosen on a third of Penn-Fudan's train part, not on its test part: there a
    single detector has an AP of 38, 51 and 53 after 100, 200 and 300 steps, and masks an IoU of about 45 from 100 on; 150
    is what fits into a quarter of an hour on one core, pre-training included.
    """
    single = by_adam(STEPS, lr=1e-3)
    changed = {"steps": STEPS // 2, "optimizer": {"use": "adam", "lr": 3e-4}, "monitor_every": 5}
    return {"single": single, "connected": {**single, **changed}}


def small_training() -> dict[str, Any]:
    """For two data sets: as `small_training_of_one_set`, a batch of each in turn, so that tasks see as many pictures.

    Each data set has its own statistics of batch norms, since two data sets' pictures have little in common.
    """
    one = small_training_of_one_set()

    def both(options: Mapping[str, Any]) -> dict[str, Any]:
        return {**options, "steps": 2 * options["steps"], "batch_norm": "per_data_set"}

    return {"single": one["single"], "connected": both(one["connected"])}
