"""The demo: two tasks on generated rooms; no download, a few minutes on two cores."""

from __future__ import annotations

from collections.abc import Sequence

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.places import Given
from taskweave.recipes.usual import by_adam


def recipe(*, small: bool = True, data: Given = None, seeds: Sequence[int] | None = None) -> Recipe:
    """Segmentation and normals: single, single trained on, shared, cross-stitch, NDDR.

    small: minutes; otherwise larger pictures and ten times the steps. data: not used, the scenes are generated.
    """
    times = 1 if small else 10
    single = by_adam(150 * times, lr=1e-3, log_every=5 * times, monitor_every=10 * times)
    changed = {"steps": 80 * times, "optimizer": {"use": "adam", "lr": 5e-4}, "monitor_every": 5 * times}
    return Recipe(
        name="demo" if small else "demo-long",
        data={"use": "scenes", "size": (96, 96) if small else (128, 128), "train": 400 * times, "test": 100},
        tasks={"segmentation": {"loss_resolution": "eighth"}, "normals": {"weight": 2.0, "loss_resolution": "eighth"}},
        network={"use": "deeplab_resnet", "body": "resnet10t", "head": {"rates": (1, 2, 4)}},
        methods=[
            {"use": "shared", "until": "layer4"},
            # under Adam a weight moves by about the rate per step, whatever its gradient: units need a larger one
            {"use": "cross_stitch", "rate": 10.0},
            "nddr",
        ],
        training={"single": single, "connected": {**single, **changed}, "joint": {**single, "steps": 230 * times}},
        seeds=seeds or (0,),
        evaluation={"batch_size": 10},
    )
