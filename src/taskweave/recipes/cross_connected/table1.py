"""Cross-connected networks, table 1: pedestrians in one data set, segmentation in another, tested on a third."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.choices.boxes import APascal, PennFudan
from taskweave.experiments.choices.data import Augmentation, NYUv2Folder
from taskweave.experiments.choices.detection import DetectionTask, LogAverageMissRate, Matching, VOCAveragePrecision
from taskweave.experiments.choices.mixture import ConstantInterval, FurtherTest, MixtureData
from taskweave.experiments.choices.start import LibraryWeights
from taskweave.experiments.choices.streets import KITTI, Caltech, Cityscapes
from taskweave.experiments.choices.task import SegmentationTask, Tasks
from taskweave.experiments.recipe import Evaluation, Recipe, Training
from taskweave.heads.anchors import PEDESTRIANS
from taskweave.parts import part
from taskweave.recipes.beside import Beside, at
from taskweave.recipes.cross_connected.methods import PRINTED, SMALL, WIDTH, methods, networks, small_start, small_training
from taskweave.recipes.places import Given, places
from taskweave.training import TrainingOptions, adam

STEPS = 100_000
"""Of every single network, and of every network of both tasks on each data set. Ours: the paper's is not printed."""


@Beside(
    "cross_connected",
    ("table1",),
    rows=PRINTED,
    columns={
        "caltech_MR": at("detection", "MR"),
        "cityscapes_IoU": at("segmentation", "IoU"),
        "kitti_MR": at("detection on kitti", "MR"),
    },
    small_columns={"caltech_MR": at("detection", "MR")},
    notes=("The number of points of the paper's miss rate is not given; ours has 9.",),
    small_notes=("The printed miss rates are Caltech's; these persons are Penn-Fudan's.",),
)
def recipe(*, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None) -> Recipe:
    """Single, single trained on, single-task cross-connected, share 1 to 4, cross-stitch, cross-connected.

    small: persons of Penn-Fudan beside the segmentation of NYUv2, tested on the persons of aPascal too.
    data: {"caltech", "cityscapes", "kitti"}; small: {"penn_fudan", "nyuv2", "apascal"} (default ../shared/data).
    seeds: default 0; the paper names none.
    """
    if small:
        shared = Path("../shared/data")
        defaults = {"penn_fudan": shared / "PennFudanPed", "nyuv2": shared / "nyuv2", "apascal": shared / "apascal"}
        return _small(places(data, defaults), tuple(seeds or (0,)))
    own = {name: Path("datasets") / name for name in ("caltech", "cityscapes", "kitti")}
    return _full(places(data, own), tuple(seeds or (0,)))


def _full(at: dict[str, Path], seeds: tuple[int, ...]) -> Recipe:
    """What the paper states; the rest is ours and said in the notes."""
    each = TrainingOptions(steps=STEPS, batch_size=1, optimizer=part(adam, lr=1e-5))
    both = each.model_copy(update={"steps": 2 * STEPS})
    mirrored = Augmentation(mirror=True)
    return Recipe(
        name="cross_connected-table1",
        data=MixtureData(
            sets={
                "caltech": Caltech(path=at["caltech"], train_step=3, test_step=30, augmentation=mirrored),
                "cityscapes": Cityscapes(path=at["cityscapes"], classes=2, augmentation=mirrored),
            },
            schedule=ConstantInterval(batches=1),
        ),
        tasks=Tasks(
            detection=DetectionTask(
                measures=(LogAverageMissRate(low=1e-2, high=1.0, points=9, min_height=50, min_visible=0.65),), nms=0.7
            ),
            segmentation=SegmentationTask(summed=True, weight=1.0, target_class="person"),
        ),
        network=networks(PEDESTRIANS.heights, PEDESTRIANS.ratios),
        start=LibraryWeights(),
        methods=methods(lr_multiplier=100.0),
        training=Training(single=each, connected=both, joint=both.model_copy(update={"steps": 4 * STEPS})),
        seeds=seeds,
        further_tests={"kitti": FurtherTest(data=KITTI(path=at["kitti"]))},
        evaluation=Evaluation(batch_size=1),
        notes=(
            "p000 table 1. Ours, since it is not in the paper: iterations, optimiser, rate, batch size, the interval "
            "between data sets (1), 9 points of the miss rate, anchors (Zhang et al. 2016), matching IoU .5, where "
            "VGG-16 starts (ImageNet), how shared networks are trained (from the start, for as many steps). Single, "
            "trained on is our addition."
        ),
    )


def _small(at: dict[str, Path], seeds: tuple[int, ...]) -> Recipe:
    people = {"size": SMALL, "keep_aspect": True}
    varied = Augmentation(mirror=True, scale=(0.8, 1.25), crop=SMALL, colour=0.2)
    return Recipe(
        name="cross_connected-table1-small",
        data=MixtureData(
            sets={
                "penn_fudan": PennFudan(path=at["penn_fudan"], labels=("detection",), augmentation=varied, **people),
                "nyuv2": NYUv2Folder(path=at["nyuv2"], classes=13, size=SMALL, augmentation=varied),
            },
            schedule=ConstantInterval(batches=1),
        ),
        tasks=small_tasks(),
        network=networks((28, 38, 52, 70, 94, 127), (0.41,), width=WIDTH, batch_norm=True, hidden=128),
        start=small_start(),
        methods=methods(lr_multiplier=10.0),
        training=small_training(),
        seeds=seeds,
        further_tests={
            "aPascal": FurtherTest(data=APascal(path=at["apascal"], classes=("person",), labels=("detection",), **people))
        },
        evaluation=Evaluation(batch_size=8),
        notes="p000 table 1, small: other data, size, width (a quarter), batch norm, and amounts of training.",
    )


def small_tasks() -> Tasks:
    """Detection of persons by two measures, and segmentation averaged over pixels."""
    return Tasks(
        detection=DetectionTask(
            measures=(LogAverageMissRate(), VOCAveragePrecision(name="AP")),
            nms=0.5,
            matching=Matching(positive=0.6, negative=0.3, sample=128),
        ),
        segmentation=SegmentationTask(loss_resolution="eighth"),
    )
