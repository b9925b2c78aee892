"""What the cross-stitch paper's tables on NYUv2 have in common: its protocol, and the small size of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.choices.data import Augmentation, NYUv2Folder, NYUv2Lists, Size
from taskweave.experiments.choices.method import Method
from taskweave.experiments.choices.network import FCN32sAlexNet
from taskweave.experiments.choices.start import FromFile, PretrainedOnScenes
from taskweave.experiments.choices.task import NormalsTask, SegmentationTask, Tasks
from taskweave.experiments.recipe import Evaluation, Recipe, Training
from taskweave.parts import part
from taskweave.recipes.places import Given, place
from taskweave.training import TrainingOptions, WeightDecay, adam, poly, sgd

CAFFENET = Path("caffenet.safetensors")
"""CaffeNet trained on ImageNet."""
PLACES = ("pool1", "pool2", "pool5", "fc6", "fc7")
SIZE: Size = (160, 208)
"""(height, width) of the small recipes' pictures."""
SCENES = PretrainedOnScenes(steps=400, batch_size=8, images=1000, size=(96, 128))
"""The start of the small recipes."""


def full(
    table: str, methods: Sequence[Method], *, data: Given, seeds: Sequence[int] | None, weights: Path, notes: str = ""
) -> Recipe:
    """A table at full size: what the paper states; where it names FCN's hyperparameters, those of that paper.

    data: NDDR's list files, which have these labels (default datasets/nyu_v2).  seeds: default 0; the paper names none.
    weights: ImageNet's CaffeNet, where every network starts but its last layer.
    """
    return Recipe(
        name=f"cross_stitch-{table}",
        data=NYUv2Lists(path=place(data, Path("datasets/nyu_v2")), statistics="caffe", augmentation=AUGMENTATION),
        tasks=Tasks(segmentation=SegmentationTask(), normals=NormalsTask(loss="codebook", directions=20, manhattan=True)),
        network=FCN32sAlexNet(body="caffenet", hidden=4096, dropout=0.5),
        start=FromFile(path=weights),
        methods=tuple(methods),
        places=PLACES,
        training=full_training(),
        seeds=tuple(seeds or (0,)),
        evaluation=Evaluation(batch_size=1),
        notes=(
            f"p001 {table}. Ours where the paper is silent: the rate (FCN's for AlexNet), the strength of the colours' "
            f"variation, the rank of MTL-shared. Single, trained on is our addition. {notes}"
        ).strip(),
    )


AUGMENTATION = Augmentation(mirror=True, colour=0.2)
"""Pictures at their full size, mirrored and varied in colour."""


def full_training() -> Training:
    """25,000 and 15,000 steps alone, then 10,000 together; 30,000 of what is trained together from the start."""
    single = TrainingOptions(
        steps=25_000,
        batch_size=20,
        optimizer=part(sgd, lr=1e-3, momentum=0.9),
        weight_decay=WeightDecay(streams=5e-4, heads=5e-4, connections=0.0),
    )
    return Training(
        single=single,
        single_steps={"normals": 15_000},
        connected=single.model_copy(update={"steps": 10_000}),
        joint=single.model_copy(update={"steps": 30_000}),
    )


def small(
    table: str, methods: Sequence[Method], *, data: Given, seeds: Sequence[int] | None, by_sgd: bool = False
) -> Recipe:
    """A table at a size for two cores. What differs from the full size differs for all methods alike.

    data: a folder of rgb/, depth/, label40/, gt_sets/ (default ../shared/data/nyuv2).  seeds: default 0.
    by_sgd: fine-tune by SGD, under which a multiple of the rate means what it means in the paper.
    """
    single = TrainingOptions(
        steps=250,
        batch_size=8,
        optimizer=part(adam, lr=3e-4),
        schedule=part(poly, power=0.9),
        log_every=5,
        monitor_every=10,
    )
    rate = part(sgd, lr=1e-3) if by_sgd else part(adam, lr=1e-4)
    return Recipe(
        name=f"cross_stitch-{table}-small",
        data=NYUv2Folder(
            path=place(data, Path("../shared/data/nyuv2")),
            classes=40,
            size=SIZE,
            augmentation=Augmentation(mirror=True, scale=(0.8, 1.25), crop=SIZE, colour=0.2),
        ),
        tasks=Tasks(segmentation=SegmentationTask(), normals=NormalsTask(loss="codebook", directions=20)),
        network=FCN32sAlexNet(body="caffenet", hidden=512, dropout=0.5),
        start=SCENES,
        methods=tuple(methods),
        places=PLACES,
        training=Training(
            single=single,
            connected=single.model_copy(update={"steps": 150, "optimizer": rate}),
            joint=single.model_copy(update={"steps": 400}),
        ),
        seeds=tuple(seeds or (0,)),
        evaluation=Evaluation(batch_size=8),
        notes=(
            f"p001 {table}, small: another size, width, start, amount of data and of training; no Manhattan alignment. "
            "Single, trained on is our addition."
        ),
    )
