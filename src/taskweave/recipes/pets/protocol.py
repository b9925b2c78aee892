"""What the pet paper's table has in its two forms: as the public code has it, and as it is sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.usual import Given, Seeds, by_adam, place

Preset = Literal["published", "sound"]

IMAGES, EPOCHS, AUXILIARY_EPOCHS = 2210, 150, 120
BATCH, JOINT_BATCH = 39, 30
"""Images of a step: 39 in the paper; 30 in the public code where branches are trained together."""
SIZE, SMALL_SIZE = (256, 256), (128, 128)
"""(height, width). The encoder ends at 1/64: below 128 pixels in a single cell, which batch norm refuses for a picture."""
SMALL_STEPS = 240

Width = Mapping[str, Any]
"""The options of width that all pet networks have."""
FULL_SIZE: Width = {}
HALF: Width = {"width": 8, "hidden": (64, 32)}
"""Half the pet paper's width."""

FAULTS = {"sigmoid": True, "batch_statistics": True}
"""The public code's: a sigmoid before a loss with softmax, and `eval()` never called."""

ALL = ("species", "box", "segmentation")
BRANCHES = {"Binary Ablation": ("species", "segmentation"), "B.Box Ablation": ("box", "segmentation"), "MTL": ALL}
PRE_WEIGHTS = {"Binary Ablation": (0.1, 0.9), "B.Box Ablation": (0.5, 1.5), "MTL": (0.3, 1.0, 2.0)}
"""Of the public code's dynamic weight average, in the order of the branches."""

SAID = (
    "The trimap's border has no label: what the paper's masks make of it is not said. The split is 60/20/20 of trainval, "
    "with the few images that have no box. The paper's test box IoU of its MTL is its last batch's; here all boxes count. "
    "OEQ's images are not rotated: the code turns them without their boxes."
)


def networks(width: Width, preset: Preset = "sound") -> dict[str, Any]:
    """Each task's single network: with a decoder for the mask, with a head for numbers."""
    faults = {"batch_statistics": True} if preset == "published" else {}
    numbers = {"use": "pet_numbers_net", **width, **faults}
    of_maps = {key: value for key, value in width.items() if key != "hidden"}
    decoded = {"use": "pet_map_net", **of_maps, **(FAULTS if preset == "published" else {})}
    return {"segmentation": decoded, "species": numbers, "box": numbers}


def rows(preset: Preset, width: Width, auxiliary_steps: int | None = None) -> list[Any]:
    """The paper's five rows in its order."""
    stitched = published(width) if preset == "published" else sound(width)
    oeq = {"use": "pet_oeq", "branches": ALL, "label": "OEQ", "first_steps": auxiliary_steps, **width}
    if preset == "published":
        oeq |= {**FAULTS, "unused_matrix": True, "first_weighting": dropping(("species", "box"), (0.5, 0.5), 1.0, 0.1)}
    return [{"use": "single", "only": ("segmentation",), "label": "Baseline"}, *stitched, oeq]


def published(width: Width) -> list[Any]:
    """As the public code: one matrix with its start, batch norms by their batch in tests, and its weighting (T = 2)."""
    one = {"use": "pet_segnet", "stitch": "one", "initial": "published", **FAULTS, **width}
    return [
        {**one, "branches": branches, "weighting": dropping(branches, PRE_WEIGHTS[label]), "label": label}
        for label, branches in BRANCHES.items()
    ]


def sound(width: Width) -> list[Any]:
    """Logits, running statistics in tests, a matrix per stage that starts with rows which sum to one; weights 1."""
    return [
        {"use": "pet_segnet", "branches": branches, "stitch": "per_stage", "label": label, **width}
        for label, branches in BRANCHES.items()
    ]


def dropping(
    tasks: Sequence[str], pre_weights: Sequence[float], temperature: float = 2.0, species_below: float = 0.2
) -> dict[str, Any]:
    """The public code's dynamic weight average per iteration, the species' and the box's losses dropped when small.

    It drops the box's below .2 in the stitched networks; that OEQ's auxiliaries do so too is our reading.
    """
    below = {"species": species_below, "box": 0.2}
    weighting = {
        "use": "dynamic_weight_average",
        "every": "iteration",
        "temperature": temperature,
        "pre_weights": dict(zip(tasks, pre_weights, strict=True)),
    }
    return {"use": "loss_gate", "below": {t: below[t] for t in tasks if t in below}, "weighting": weighting}


def tasks(preset: Preset) -> dict[str, Any]:
    """The paper's three, with the mIoU per image beside that of the whole set."""
    return {
        "segmentation": {"image_miou": True},
        "species": {"use": "classification"},
        "box": {"use": "box_regression", "unit": "pixels" if preset == "published" else "relative"},
    }


def full(table: str, preset: Preset, *, data: Given, seeds: Seeds) -> Recipe:
    """At full size: 256 x 256, 150 epochs of Adam at 1e-3 from random weights; OEQ's auxiliaries 120 epochs before it."""
    batch = JOINT_BATCH if preset == "published" else BATCH
    alone, together = (_epochs(EPOCHS, size) for size in (BATCH, batch))
    faults = (
        "As the public code: see docs/pets.md. It has batches of 39 for OEQ's auxiliaries, here 30 for the same epochs."
        if preset == "published"
        else "Sound: logits, running statistics at test, a matrix per stage with rows that sum to one; batches of 39."
    )
    return Recipe(
        name=f"pets-{table}",
        data={
            "use": "pets",
            "path": place(data, Path("datasets/oxford-iiit-pet")),
            "size": SIZE,
            "statistics": "plain",
            "augment": (),
        },
        tasks=tasks(preset),
        networks=networks(FULL_SIZE, preset),
        methods=rows(preset, FULL_SIZE, _epochs(AUXILIARY_EPOCHS, batch)["steps"]),
        training={"single": alone, "connected": alone, "joint": together},
        seeds=seeds or (0,),
        evaluation={"batch_size": BATCH, "pictures": 6, "also_on": ("train", "validation")},
        notes=f"p004 table 1. {faults} {SAID}",
    )


def _epochs(epochs: int, batch: int) -> dict[str, Any]:
    """So many passes over 2,210 images, the last batch of each filled up."""
    return {"steps": epochs * -(-IMAGES // batch), "batch_size": batch, "optimizer": {"use": "adam", "lr": 1e-3}}


def small(table: str, preset: Preset, *, data: Given, seeds: Seeds) -> Recipe:
    """At a size for one core. What differs from the full size differs for all rows alike."""
    training = by_adam(SMALL_STEPS, lr=1e-3)
    return Recipe(
        name=f"pets-{table}-small",
        data={
            "use": "pets",
            "path": place(data, Path("../shared/data/oxford-iiit-pet")),
            "size": SMALL_SIZE,
            "augment": [{"use": "colour", "strength": 0.2}, "mirror"],
        },
        tasks=tasks(preset),
        networks=networks(HALF, preset),
        start={"use": "scenes", "steps": 200, "batch_size": 8, "images": 1000, "size": SMALL_SIZE},
        methods=rows(preset, HALF),
        training={"single": training, "connected": training, "joint": training},
        seeds=seeds or (0,),
        evaluation={"batch_size": 16, "pictures": 6, "also_on": ("train", "validation")},
        notes=(
            f"p004 table 1, small, {'as the public code' if preset == 'published' else 'sound'}: half the width, another "
            f"size, start, schedule, amount of data and of training. {SAID}"
        ),
    )
