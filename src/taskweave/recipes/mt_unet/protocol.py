"""What the MT-UNet paper's tables have in common: its protocol, and the small size of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from taskweave.experiments.choices.data import Augmentation, NYUv2Folder, NYUv2Mtan, Size
from taskweave.experiments.choices.method import CommonStitch, CrossStitch, Method, Single
from taskweave.experiments.choices.mixture import OneSet
from taskweave.experiments.choices.network import SegNetVGG16, STANSegNet, STUNet
from taskweave.experiments.choices.republished import CityscapesMtan
from taskweave.experiments.choices.start import PretrainedOnScenes, Scratch, Start
from taskweave.experiments.choices.task import DepthTask, SegmentationTask, Tasks
from taskweave.experiments.choices.whole import MTAN, DenseSegNet, MTUNet
from taskweave.experiments.recipe import Evaluation, Recipe, Training
from taskweave.parts import Part, part
from taskweave.recipes.beside import Columns, Rows, at
from taskweave.recipes.places import Given, place
from taskweave.training import TrainingOptions, adam, poly
from taskweave.weighting import VarianceRatio, Weighting

EPOCHS = 200
SIZE: Size = (128, 256)
"""(height, width) of both data sets' pictures."""
IMAGES = {"nyuv2": 795, "cityscapes": 2975}
BATCH = {"nyuv2": 2, "cityscapes": 8}
UNET, SEGNET, STAN = STUNet(), SegNetVGG16(), STANSegNet()

SMALL_SIZE: Size = (64, 96)
SMALL_UNET = STUNet(widths=(12, 24, 48, 96), dropout=0.0, bn_eps=1e-2)
SMALL_SEGNET = SegNetVGG16(widths=(12, 24, 48, 96, 96))
SMALL_STAN = STANSegNet(widths=(12, 24, 48, 96, 96))
SCENES = PretrainedOnScenes(steps=200, batch_size=8, images=1000, size=SMALL_SIZE)
"""The start of the small recipes: one body for the U-Nets, one for the SegNets."""

PRINTED_SEGMENTATION: Columns = {"IoU_pixel_acc": at("segmentation", "pixacc"), "mIoU": at("segmentation", "mIoU")}
PRINTED_COLUMNS: Columns = {**PRINTED_SEGMENTATION, "depth_abs": at("depth", "abs"), "depth_rel": at("depth", "rel")}
PRINTED_ROWS: Rows = {
    "ST-UNet": ("ST-UNet (Ours)",),
    "STAN": ("STAN",),
    "Dense": ("Dense",),
    "Cross-Stitch (as MTAN's code)": ("Cross-Stitch",),
    "MTAN": ("MTAN",),
}
"""The rows that tables 1 and 2 have beside MT-UNet."""
PIXEL_ACCURACY = "What the paper's column calls IoU is pixel accuracy."
QUOTED = "Its rows STAN, Dense, Cross-Stitch and MTAN seem to be quoted from the MTAN paper; ours are trained here."

INVERSE = "Depth is inverse (disparities as the files have them); the paper's relative errors are on another scale."
STAND_IN = (
    "A named stand-in: the paper's table is of Cityscapes; these are NYUv2's 13 classes and depth in metres, rooms instead "
    "of streets."
)


def mt_unet(*, small: bool, label: str, weighting: Part[Weighting] | None = None, cross_talk: bool = True) -> MTUNet:
    """MT-UNet; weighting: None for the paper's, eq. 5."""
    learned = part(VarianceRatio, learning_rate=1e-3, window=3 if small else 5)
    network = SMALL_UNET if small else UNET
    return MTUNet(network=network, cross_talk=cross_talk, weighting=weighting or learned, label=label)


def others(*, small: bool) -> tuple[Method, ...]:
    """The MTAN paper's networks in the order of tables 1 and 2, and beside its "Cross-Stitch" the unit of Misra et al."""
    segnet, stan = (SMALL_SEGNET, SMALL_STAN) if small else (SEGNET, STAN)
    begins: Start = SCENES if small else Scratch()
    return (
        Single(network=stan, label="STAN"),
        DenseSegNet(network=segnet),
        CommonStitch(network=segnet, start=begins, label="Cross-Stitch (as MTAN's code)"),
        CrossStitch(network=segnet, start=begins, label="Cross-Stitch (K x K)", lr_multiplier=10.0 if small else None),
        MTAN(network=segnet),
    )


def full(
    table: str,
    methods: Sequence[Method],
    *,
    data: OneSet,
    of: Literal["nyuv2", "cityscapes"],
    seeds: Sequence[int] | None,
    notes: str = "",
) -> Recipe:
    """A table at full size: 200 epochs of Adam at 1e-4, whatever the network. seeds: default 0; the paper names none."""
    steps = EPOCHS * -(-IMAGES[of] // BATCH[of])  # the last batch of an epoch filled up
    options = TrainingOptions(steps=steps, batch_size=BATCH[of], optimizer=part(adam, lr=1e-4))
    return Recipe(
        name=f"mt_unet-{table}",
        data=data,
        tasks=Tasks(segmentation=SegmentationTask(), depth=DepthTask(loss="l1")),
        network=UNET,
        start=Scratch(),
        methods=(Single(label="ST-UNet"), *methods),
        training=Training(single=options, connected=options, joint=options),
        seeds=tuple(seeds or (0,)),
        evaluation=Evaluation(batch_size=8),
        notes=(
            f"p003 {table}. Its column IoU is pixel accuracy. MT-UNet's losses are weighed by eq. 5, the others' by 1. The "
            "paper seems to quote the rows of the MTAN family from the MTAN paper; here all are trained alike, by its own "
            f"protocol. {notes}"
        ).strip(),
    )


def cityscapes(data: Given, *, classes: Literal[7, 19], small: bool = False) -> CityscapesMtan:
    """MTAN's npy tree of Cityscapes at 128 x 256 (default datasets/cityscapes_mtan). small: read at 96 x 192."""
    return CityscapesMtan(
        path=place(data, Path("datasets/cityscapes_mtan")),
        classes=classes,
        size_of_files=SIZE,
        size=(96, 192) if small else SIZE,
        augmentation=Augmentation(mirror=small),
    )


def nyuv2(data: Given) -> NYUv2Mtan:
    """MTAN's npy tree of NYUv2 (default datasets/nyuv2_mtan)."""
    path = place(data, Path("datasets/nyuv2_mtan"))
    return NYUv2Mtan(path=path, classes=13, size=SIZE, augmentation=Augmentation(mirror=False))


def small(table: str, methods: Sequence[Method], *, data: OneSet, seeds: Sequence[int] | None, notes: str = "") -> Recipe:
    """A table at a size for two cores. What differs from the full size differs for all methods alike.

    Chosen on a quarter of the training part (by scene), by ST-UNet alone: with dropout and eps at 1e-5 to 1e-3 its depth
    was no better than a constant, and a last layer at the rate of the rest does not reach depths of 3 m in so few steps.
    """
    options = TrainingOptions(
        steps=240,
        batch_size=8,
        optimizer=part(adam, lr=1e-3),
        schedule=part(poly, power=0.9),
        last_layer_lr=10.0,
        log_every=5,
        monitor_every=10,
    )
    return Recipe(
        name=f"mt_unet-{table}-small",
        data=data,
        tasks=Tasks(segmentation=SegmentationTask(), depth=DepthTask(loss="l1")),
        network=SMALL_UNET,
        start=SCENES,
        methods=(Single(label="ST-UNet"), *methods),
        training=Training(single=options, connected=options, joint=options),
        seeds=tuple(seeds or (0,)),
        evaluation=Evaluation(batch_size=8),
        notes=(
            f"p003 {table}, small: thinner networks, another size, start, rate, amount of data and of training; eq. 5 over "
            f"a window of 3 epochs. {notes}"
        ).strip(),
    )


def small_nyuv2(data: Given) -> NYUv2Folder:
    """NYUv2 as a folder of rgb/, depth/, label13/, gt_sets/ (default ../shared/data/nyuv2)."""
    path = place(data, Path("../shared/data/nyuv2"))
    varied = Augmentation(mirror=True, scale=(0.8, 1.25), crop=SMALL_SIZE)
    return NYUv2Folder(path=path, classes=13, size=SMALL_SIZE, augmentation=varied)
