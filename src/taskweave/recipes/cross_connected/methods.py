"""What the cross-connected paper's tables have in common: networks, methods, and the small size of both."""

from __future__ import annotations

from taskweave.evaluation.choices.data import Size
from taskweave.evaluation.choices.method import (
    ConnectedTrainedOnOneTask,
    CrossConnected,
    Method,
    ScaleLayer,
    Shared,
)
from taskweave.evaluation.choices.network import RPNVGG16, PerTask, PSPNetVGG16
from taskweave.evaluation.choices.start import PretrainedOnScenes
from taskweave.evaluation.recipe import Training
from taskweave.training.options import Adam, Poly, TrainingOptions

SMALL: Size = (128, 160)
"""(height, width) of the pictures of the small recipes."""

WIDTH = 16
"""Channels of conv1 in the small recipes: a quarter of VGG-16's, a sixteenth of its operations."""

SHARES = {1: "conv1_2", 2: "conv2_2", 3: "conv3_3", 4: "conv4_3"}
"""Share k has one trunk up to the k-th pooling layer: 2, 4, 7 and 10 convolutions. Pools have no weights."""


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


def small_training() -> Training:
    """About a minute for each method on two cores: 250 batches of 8 of each data set, and 150 of each together."""
    single = TrainingOptions(steps=250, batch_size=8, optimizer=Adam(lr=1e-3), schedule=Poly(power=0.9))
    # in turn a data set's own statistics of batch norms, since two data sets' pictures have little in common
    tuned = {"steps": 300, "optimizer": Adam(lr=3e-4), "batch_norm": "per_data_set"}
    joint = {"steps": 800, "batch_norm": "per_data_set"}
    return Training(single=single, connected=single.model_copy(update=tuned), joint=single.model_copy(update=joint))


def small_training_of_one_set() -> Training:
    """As `small_training`, for data that label both tasks: a batch counts for both."""
    two = small_training()
    shared = {"batch_norm": "shared"}
    return Training(
        single=two.single,
        connected=two.connected.model_copy(update={"steps": two.connected.steps // 2, **shared}),
        joint=two.of_joint.model_copy(update={"steps": two.of_joint.steps // 2, **shared}),
    )
