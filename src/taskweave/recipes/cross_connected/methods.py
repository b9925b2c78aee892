"""What the cross-connected paper's tables have in common: networks, methods, and the small size of both."""

from __future__ import annotations

from taskweave.experiments.choices.data import Size
from taskweave.experiments.choices.method import (
    ConnectedTrainedOnOneTask,
    CrossConnected,
    Method,
    ScaleLayer,
    Shared,
)
from taskweave.experiments.choices.network import RPNVGG16, PerTask, PSPNetVGG16
from taskweave.experiments.choices.start import PretrainedOnScenes
from taskweave.experiments.recipe import Training
from taskweave.parts import part
from taskweave.recipes.beside import Rows
from taskweave.training import TrainingOptions, adam, poly

SMALL: Size = (128, 160)
"""(height, width) of the pictures of the small recipes."""

WIDTH = 16
"""Channels of conv1 in the small recipes: a quarter of VGG-16's, a sixteenth of its operations."""

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


def methods(*, lr_multiplier: float | None = None) -> tuple[Method, ...]:
    """The paper's rows in its order, under the single networks.

    lr_multiplier: of the scale layers alone, which are numbers, not convolutions.
    """
    return (
        ConnectedTrainedOnOneTask(connected=CrossConnected(), label="single-task cross-connected"),
        *(Shared(until=until, label=f"share {k}") for k, until in SHARES.items()),
        ScaleLayer(label="cross-stitch", lr_multiplier=lr_multiplier),
        CrossConnected(),
    )


def networks(
    heights: tuple[float, ...], ratios: tuple[float, ...], *, width: int = 64, batch_norm: bool = False, hidden: int = 512
) -> PerTask:
    """A region proposal network as the detector, PSPNet for segmentation, both on VGG-16. heights, ratios: of anchors."""
    return PerTask(
        networks={
            "detection": RPNVGG16(heights=heights, ratios=ratios, width=width, batch_norm=batch_norm, hidden=hidden),
            "segmentation": PSPNetVGG16(bins=(1, 2, 3, 6), width=width, batch_norm=batch_norm, hidden=hidden),
        }
    )


def small_start() -> PretrainedOnScenes:
    """The body of all small networks."""
    return PretrainedOnScenes(steps=400, batch_size=8, images=1000, size=SMALL)


def small_training_of_one_set() -> Training:
    """For data that label both tasks: 150 batches of 8 for every single network, half as many more together.

    Shared networks get both from the start. Chosen on a third of Penn-Fudan's train part, not on its test part: there a
    single detector has an AP of 38, 51 and 53 after 100, 200 and 300 steps, and masks an IoU of about 45 from 100 on; 150
    is what fits into a quarter of an hour on one core, pre-training included.
    """
    single = TrainingOptions(
        steps=STEPS,
        batch_size=8,
        optimizer=part(adam, lr=1e-3),
        schedule=part(poly, power=0.9),
        log_every=5,
        monitor_every=10,
    )
    connected = single.model_copy(update={"steps": STEPS // 2, "optimizer": part(adam, lr=3e-4), "monitor_every": 5})
    return Training(single=single, connected=connected, joint=single.model_copy(update={"steps": STEPS + STEPS // 2}))


def small_training() -> Training:
    """For two data sets: as `small_training_of_one_set`, a batch of each in turn, so that tasks see as many pictures.

    Each data set has its own statistics of batch norms, since two data sets' pictures have little in common.
    """
    one, own = small_training_of_one_set(), "per_data_set"
    return Training(
        single=one.single,
        connected=one.connected.model_copy(update={"steps": 2 * one.connected.steps, "batch_norm": own}),
        joint=one.of_joint.model_copy(update={"steps": 2 * one.of_joint.steps, "batch_norm": own}),
    )
