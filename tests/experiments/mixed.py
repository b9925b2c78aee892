"""Recipes with boxes and several data sets, small enough for tests: generated rooms, thin networks, two steps."""

from copy import deepcopy
from typing import Any

from taskweave.experiments.recipe import Recipe

REGIONS = {"proposals": {"scales": [0.4, 0.8]}, "count": 8, "with_ground_truth": True}
OPTIONS = {"steps": 2, "batch_size": 2, "precision": "32", "checkpoint_seconds": None}
VGG = {"width": 4, "hidden": 8, "batch_norm": True}


def rooms(seed: int, *labels: str, **more: Any) -> dict[str, Any]:
    data = {"use": "scenes", "size": [48, 64], "train": 6, "test": 4, "seed": seed, "labels": list(labels)}
    return {**data, **more}


DISJOINT: dict[str, Any] = {
    "name": "disjoint",
    "data": {"sets": {"boxes": rooms(3, "detection"), "pixels": rooms(4, "segmentation")}},
    "tasks": {"segmentation": {"loss_resolution": "eighth"}, "detection": {"score": 0.0}},
    "networks": {
        "detection": {"use": "rpn_vgg16", "heights": [16, 32], "ratios": [1.0], **VGG},
        "segmentation": {"use": "pspnet_vgg16", **VGG},
    },
    "methods": ["cross_connection"],
    "single_trained_on": False,
    "training": {"single": dict(OPTIONS), "connected": {**OPTIONS, "steps": 4, "batch_norm": "per_data_set"}},
    "further_tests": {"elsewhere": {"data": rooms(9, "detection")}},
    "evaluation": {"batch_size": 2, "pictures": 1},
}

OF_REGIONS: dict[str, Any] = {
    "name": "regions",
    "data": rooms(3, "detection", "attributes", regions=REGIONS),
    "tasks": {"detection": {"use": "roi_detection", "nms": 0.3, "score": 0.0}, "attributes": {}},
    "networks": {
        "detection": {"use": "fast_rcnn_alexnet", "hidden": 8},
        "attributes": {"use": "fast_rcnn_alexnet", "hidden": 8, "boxes": False},
    },
    "methods": [{"use": "cross_stitch", "per": "layer"}],
    "single_trained_on": False,
    "training": {"single": dict(OPTIONS), "connected": dict(OPTIONS)},
    "evaluation": {"batch_size": 2, "pictures": 1},
}


def disjoint(**changes: Any) -> Recipe:
    return Recipe.model_validate({**deepcopy(DISJOINT), **changes})


def of_regions(**changes: Any) -> Recipe:
    return Recipe.model_validate({**deepcopy(OF_REGIONS), **changes})
