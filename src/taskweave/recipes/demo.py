"""The demo: two tasks on generated rooms; no download, a few minutes on two cores."""

from __future__ import annotations

from collections.abc import Sequence

from taskweave.experiments.choices.data import Augmentation, ScenesData
from taskweave.experiments.choices.method import NDDR, CrossStitch, Shared
from taskweave.experiments.choices.network import DeepLabResNet
from taskweave.experiments.choices.task import NormalsTask, SegmentationTask, Tasks
from taskweave.experiments.recipe import Evaluation, Recipe, Training
from taskweave.parts import part
from taskweave.recipes.places import Given
from taskweave.training import TrainingOptions, adam, poly


def recipe(*, small: bool = True, data: Given = None, seeds: Sequence[int] | None = None) -> Recipe:
    """Segmentation and normals: single, single trained on, shared, cross-stitch, NDDR.

    small: minutes; otherwise larger pictures and ten times the steps. data: not used, the scenes are generated.
    """
    times = 1 if small else 10
    single = TrainingOptions(
        steps=150 * times,
        batch_size=8,
        optimizer=part(adam, lr=1e-3),
        schedule=part(poly, power=0.9),
        log_every=5 * times,
        monitor_every=10 * times,
    )
    connected = single.model_copy(
        update={"steps": 80 * times, "optimizer": part(adam, lr=5e-4), "monitor_every": 5 * times}
    )
    return Recipe(
        name="demo" if small else "demo-long",
        data=ScenesData(
            size=(96, 96) if small else (128, 128),
            train=400 * times,
            test=100,
            augmentation=Augmentation(mirror=True),
        ),
        tasks=Tasks(
            segmentation=SegmentationTask(loss_resolution="eighth"),
            normals=NormalsTask(weight=2.0, loss_resolution="eighth"),
        ),
        network=DeepLabResNet(body="resnet10t", rates=(1, 2, 4)),
        methods=(
            Shared(until="layer4"),
            # under Adam a weight moves by about the rate per step, whatever its gradient: units need a larger one
            CrossStitch(lr_multiplier=10.0),
            NDDR(),
        ),
        training=Training(single=single, connected=connected, joint=single.model_copy(update={"steps": 230 * times})),
        seeds=tuple(seeds or (0,)),
        evaluation=Evaluation(batch_size=10),
    )
