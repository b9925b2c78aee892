"""The demo on photographs: species, head and outline of 100 pets that ship inside; no download, minutes on two cores."""

from __future__ import annotations

from collections.abc import Sequence

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.pets.protocol import FULL_SIZE, HALF, networks
from taskweave.recipes.places import Given
from taskweave.recipes.usual import by_adam


def recipe(*, small: bool = True, data: Given = None, seeds: Sequence[int] | None = None) -> Recipe:
    """Segmentation, head box and species: single, shared, the pet paper's stitched branches.

    Sixty images teach little: bodies begin on generated scenes, and the table says more of the machinery than of the
    methods. small: minutes; otherwise the paper's width and ten times the steps. data: not used, the pets ship inside.
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
