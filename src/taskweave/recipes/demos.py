"""The demos: no download, a few minutes on two cores. data: not used, the pictures are generated or ship inside."""

from __future__ import annotations

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.pets.protocol import FULL_SIZE, HALF, networks
from taskweave.recipes.usual import Given, Seeds, by_adam


def demo(*, small: bool = True, data: Given = None, seeds: Seeds = None) -> Recipe:
    """The demo: two tasks on generated rooms; no download, a few minutes on two cores.

    Segmentation and normals: single, single trained on, shared, cross-stitch, NDDR.
    small: minutes; otherwise larger pictures and ten times the steps.
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


def demo_pets(*, small: bool = True, data: Given = None, seeds: Seeds = None) -> Recipe:
    """The demo on photographs: species, head and outline of 100 pets that ship inside; no download, minutes on two cores.

    Segmentation, head box and species: single, shared, the pet paper's stitched branches. Sixty images teach little: bodies
    begin on generated scenes, and the table says more of the machinery than of the methods.
    small: minutes; otherwise the paper's width and ten times the steps.
    """
    times, width = (1, HALF) if small else (10, FULL_SIZE)
    watched = {"log_every": 5 * times, "monitor_every": 10 * times}
    training = by_adam(180 * times, lr=1e-3, batch_size=10, clip=1.0, **watched)
    stitched = {"use": "pet_segnet", "branches": ("species", "box", "segmentation"), "stitch": "per_stage", **width}
    return Recipe(
        name="demo-pets" if small else "demo-pets-long",
        data={"use": "pets_sample", "size": (128, 128), "augment": [{"use": "colour", "strength": 0.2}, "mirror"]},
        tasks={"segmentation": {}, "species": {"use": "classification"}, "box": {"use": "box_regression"}},
        networks=networks(width),
        start={"use": "scenes", "steps": 120 * times, "batch_size": 8, "images": 300, "size": (128, 128)},
        methods=[{"use": "shared", "until": "encoder3"}, {**stitched, "label": "stitched (pet)"}],
        training={"single": training, "connected": training, "joint": training},
        seeds=seeds or (0,),
        evaluation={"batch_size": 10, "pictures": 4},
        notes="Pictures: Oxford-IIIT Pet, CC BY-SA 4.0; see taskweave/data/readers/whole_images/pets_sample_files.",
    )
