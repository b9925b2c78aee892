"""MT-UNet, table 2: segmentation into 13 classes and depth on NYUv2, by the methods that exist here so far."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.evaluation.choices.data import Augmentation, NYUv2Folder, NYUv2Mtan
from taskweave.evaluation.choices.method import NDDR, CrossStitch, Shared
from taskweave.evaluation.choices.network import DeepLabResNet, DeepLabVGG16
from taskweave.evaluation.choices.start import PretrainedOnScenes, Scratch
from taskweave.evaluation.choices.task import DepthTask, SegmentationTask, Tasks
from taskweave.evaluation.recipe import Evaluation, Recipe, Training
from taskweave.recipes.places import Given, place
from taskweave.training.options import Adam, Poly, TrainingOptions

EPOCHS = 200
BATCH = 2
IMAGES = 795
STEPS = EPOCHS * -(-IMAGES // BATCH)
"""Optimiser steps of the paper's 200 epochs over 795 images in batches of 2, the last of each epoch filled up."""


def recipe(*, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None) -> Recipe:
    """Single, single trained on, shared, cross-stitch, NDDR.

    small: ResNet-18 at 128 x 160, bodies pre-trained on generated scenes.
    data: full size: MTAN's npy tree (default datasets/nyuv2_mtan); small: a folder of rgb/, depth/, label13/, gt_sets/
        (default ../shared/data/nyuv2).
    seeds: default 0; the paper names none.
    """
    if small:
        return _small(place(data, Path("../shared/data/nyuv2")), tuple(seeds or (0,)))
    return _full(place(data, Path("datasets/nyuv2_mtan")), tuple(seeds or (0,)))


def _full(data: Path, seeds: tuple[int, ...]) -> Recipe:
    single = TrainingOptions(steps=STEPS, batch_size=BATCH, optimizer=Adam(lr=1e-4))
    return Recipe(
        name="mt_unet-table2",
        data=NYUv2Mtan(path=data, classes=13, size=(128, 256), augmentation=Augmentation(mirror=False)),
        tasks=Tasks(segmentation=SegmentationTask(), depth=DepthTask(loss="l1")),
        network=DeepLabVGG16(head="largefov", batch_norm=True),
        start=Scratch(),
        methods=(Shared(until="pool5"), CrossStitch(), NDDR()),
        training=Training(single=single, connected=single, joint=single),
        seeds=seeds,
        evaluation=Evaluation(batch_size=8),
        notes=(
            "p003 table 2, the constants of its protocol; the paper's own networks (MT-UNet, ST-UNet, SegNet) are not here "
            "yet, DeepLab-VGG-16 stands in. Its column IoU is pixel accuracy."
        ),
    )


def _small(data: Path, seeds: tuple[int, ...]) -> Recipe:
    size = (128, 160)
    single = TrainingOptions(steps=250, batch_size=8, optimizer=Adam(lr=5e-4), schedule=Poly(power=0.9))
    connected = single.model_copy(update={"steps": 150, "optimizer": Adam(lr=2e-4)})
    joint = single.model_copy(update={"steps": 400})
    return Recipe(
        name="mt_unet-table2-small",
        data=NYUv2Folder(path=data, classes=13, size=size, augmentation=Augmentation(mirror=True)),
        tasks=Tasks(segmentation=SegmentationTask(loss_resolution="eighth"), depth=DepthTask(loss_resolution="eighth")),
        network=DeepLabResNet(body="resnet18", rates=(1, 2, 4, 6)),
        start=PretrainedOnScenes(steps=300, batch_size=8, images=1000, size=size),
        methods=(
            Shared(until="layer4"),
            # under Adam a weight moves by about the rate per step, whatever its gradient: units need a larger one
            CrossStitch(lr_multiplier=10.0),
            NDDR(),
        ),
        places=("stem", "layer1", "layer2", "layer3", "layer4"),
        training=Training(single=single, connected=connected, joint=joint),
        seeds=seeds,
        evaluation=Evaluation(batch_size=8),
        notes="p003 table 2, small: another backbone, size, optimiser rate, amount of data and of training.",
    )
