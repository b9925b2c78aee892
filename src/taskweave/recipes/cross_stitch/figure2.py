"""Cross-stitch networks, figure 2: every split of segmentation and normals on NYUv2, relative to the one-task networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.choices.data import Augmentation, Size
from taskweave.experiments.choices.method import CrossStitch, Method, Shared
from taskweave.experiments.recipe import Recipe, Training
from taskweave.recipes.cross_stitch import protocol
from taskweave.recipes.cross_stitch.table6 import SPLITS
from taskweave.recipes.places import Given

SMALL_SIZE: Size = (128, 160)
"""(height, width) of the small form's pictures: two thirds of the other tables', since there are nine rows."""


def recipe(
    *, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None, weights: Path = protocol.CAFFENET
) -> Recipe:
    """Single, single trained on, split at every stage, cross-stitch; `taskweave sweep split` of it draws the figure.

    small: smaller pictures and fewer steps than table 5's, so that one seed takes a quarter of an hour on two cores.
    small, data, seeds, weights: as in `cross_stitch.table1`; full size is table 5's protocol, whose runs it shares.
    """
    methods: tuple[Method, ...] = (
        *(Shared(until=until, label=f"split {first}") for first, until in SPLITS.items()),
        CrossStitch(self_weight=0.9, other_weight=0.1, lr_multiplier=10.0 if small else 1000.0),
    )
    if not small:
        notes = "Split is counted by the first layer that is not shared."
        return protocol.full("figure2", methods, data=data, seeds=seeds, weights=weights, notes=notes)
    usual = protocol.small("figure2", methods, data=data, seeds=seeds)
    varied = Augmentation(mirror=True, scale=(0.8, 1.25), crop=SMALL_SIZE, colour=0.2)
    pictures = usual.data.model_copy(update={"size": SMALL_SIZE, "augmentation": varied})
    return usual.model_copy(update={"data": pictures, "training": _short(usual.training)})


def _short(training: Training) -> Training:
    """200 steps alone, 100 more together, 300 of what is trained together from the start."""
    joint = training.of_joint
    return training.model_copy(
        update={
            "single": training.single.model_copy(update={"steps": 200}),
            "connected": training.connected.model_copy(update={"steps": 100, "monitor_every": 5}),
            "joint": joint.model_copy(update={"steps": 300, "monitor_every": 20}),
        }
    )
