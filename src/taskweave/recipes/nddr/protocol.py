"""What the NDDR-CNN paper's tables on NYUv2 have in common: its protocol, and the small size of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.choices.data import Augmentation, NYUv2Folder, NYUv2Lists, Size
from taskweave.experiments.choices.method import NDDR, CrossStitch, Method, Sluice
from taskweave.experiments.choices.network import DeepLabResNet, DeepLabVGG16, OneNetwork
from taskweave.experiments.choices.start import FromFile, PretrainedOnScenes
from taskweave.experiments.choices.task import NormalsTask, SegmentationTask, Tasks
from taskweave.experiments.recipe import Evaluation, Recipe, Training
from taskweave.parts import part
from taskweave.recipes.places import Given, place
from taskweave.training import TrainingOptions, WeightDecay, adam, poly, sgd

STEPS = 20001
POOLS = ("pool1", "pool2", "pool3", "pool4", "pool5")
VGG16 = DeepLabVGG16(head="largefov", batch_norm=True, bn_momentum=0.05, bn_eps=1e-3, hidden=1024, dropout=0.5)
VOC = Path("deeplab_largefov_voc.safetensors")
"""DeepLab-LargeFOV trained on VOC."""

STITCHED = CrossStitch(self_weight=0.9, other_weight=0.1, lr_multiplier=1000.0)
SLUICED = Sluice(subspaces=2)
OURS = NDDR(order="authors", self_weight=0.9, other_weight=0.1, lr_multiplier=100.0)

SLUICE = "The sluice's start is ours, its code was not released."
"""For the notes of tables that have one."""

SMALL_ANGLES = (
    "The printed angles are in the space of 8-bit codes, where they are about half as large; those of the small form are "
    "true ones."
)
"""What stands beside the small forms of tables on NYUv2."""

STAGES = ("stem", "layer1", "layer2", "layer3", "layer4")
RESNET18 = DeepLabResNet(body="resnet18", rates=(1, 2, 4, 6))
SIZE: Size = (128, 160)
"""(height, width) of the small recipes' pictures."""
SWEEP_SIZE: Size = (96, 128)
"""The same in the sweeps, which have more rows for the same quarter of an hour."""
SCENES = PretrainedOnScenes(steps=300, batch_size=8, images=1000, size=SIZE)
"""The start of the small recipes."""


def full(
    table: str,
    methods: Sequence[Method],
    *,
    data: Given,
    seeds: Sequence[int] | None,
    weights: Path,
    notes: str = "",
    network: OneNetwork = VGG16,
    places: tuple[str, ...] = POOLS,
    training: Training | None = None,
    augmentation: Augmentation | None = None,
) -> Recipe:
    """A table at full size: what the paper states and, where it is silent, the authors' code's.

    data: NDDR's list files (default datasets/nyu_v2).  seeds: default 1234, the authors'.
    weights: where every network starts but its last layer.  training, augmentation: in place of the paper's usual.
    """
    cropped = Augmentation(mirror=True, scale=(0.5, 1.5), crop=(321, 321))
    return Recipe(
        name=f"nddr-{table}",
        data=NYUv2Lists(
            path=place(data, Path("datasets/nyu_v2")), statistics="caffe", augmentation=augmentation or cropped
        ),
        tasks=Tasks(
            segmentation=SegmentationTask(loss_resolution="eighth"),
            normals=NormalsTask(
                loss="cosine", weight=20.0, single_weight=10.0, loss_resolution="eighth", angles="raw_uint8"
            ),
        ),
        network=network,
        start=FromFile(path=weights),
        methods=tuple(methods),
        places=places,
        training=training or _training(),
        seeds=tuple(seeds or (1234,)),
        evaluation=Evaluation(batch_size=1),
        notes=(
            f"p002 {table}. Deviations: normals are learned in true space and a mirror turns n_x (the authors do neither); "
            f"angles are measured in their space of 8-bit codes. Single, trained on is our addition. {notes}"
        ).strip(),
    )


def _training() -> Training:
    single = TrainingOptions(
        steps=STEPS,
        batch_size=10,
        optimizer=part(sgd, lr=1e-3, momentum=0.9),
        schedule=part(poly, power=0.9, total=STEPS),
        last_layer_lr=10.0,
        bias_lr=20.0,
        weight_decay=WeightDecay(streams=5e-4, heads=5e-4, connections=5e-4),
    )
    # the multi-task script halves the decay that the single-task script has
    connected = single.model_copy(update={"weight_decay": WeightDecay(streams=2.5e-4, heads=2.5e-4, connections=2.5e-4)})
    return Training(single=single, connected=connected, joint=connected)


def small(
    table: str,
    methods: Sequence[Method],
    *,
    data: Given,
    seeds: Sequence[int] | None,
    notes: str = "",
    network: OneNetwork = RESNET18,
    places: tuple[str, ...] = STAGES,
    training: Training | None = None,
    size: Size = SIZE,
) -> Recipe:
    """A table at a size for two cores. What differs from the full size differs for all methods alike.

    data: a folder of rgb/, depth/, label40/, gt_sets/ (default ../shared/data/nyuv2).  seeds: default 0.
    """
    return Recipe(
        name=f"nddr-{table}-small",
        data=NYUv2Folder(
            path=place(data, Path("../shared/data/nyuv2")),
            classes=40,
            size=size,
            augmentation=Augmentation(mirror=True, scale=(0.5, 1.5), crop=size),
        ),
        tasks=Tasks(
            segmentation=SegmentationTask(loss_resolution="eighth"),
            normals=NormalsTask(loss="cosine", weight=5.0, single_weight=1.0, loss_resolution="eighth"),
        ),
        network=network,
        start=SCENES,
        methods=tuple(methods),
        places=places,
        training=training or small_training(),
        seeds=tuple(seeds or (0,)),
        evaluation=Evaluation(batch_size=8),
        notes=(
            f"p002 {table}, small: another backbone, size, optimiser, amount of data and training; angles in true space. "
            f"{notes}"
        ).strip(),
    )


def small_training() -> Training:
    """A minute or two for each method.

    Chosen on a quarter of the training part (by scene): under SGD the normals hardly left the constant prediction in so
    few steps, and last layers at 10 and 20 times the rate cost segmentation half its mIoU.
    """
    single = TrainingOptions(
        steps=250,
        batch_size=8,
        optimizer=part(adam, lr=1e-3),
        schedule=part(poly, power=0.9),
        log_every=5,
        monitor_every=10,
    )
    connected = single.model_copy(update={"steps": 150, "optimizer": part(adam, lr=5e-4)})
    return Training(single=single, connected=connected, joint=single.model_copy(update={"steps": 400}))


def small_sweep(*, steps: int, by_sgd: bool = False) -> Training:
    """As `small_training`, shorter, since a sweep has many rows.

    steps: of each connected network.
    by_sgd: fine-tuned by SGD: only there does a multiple of the rate mean what it means in the papers.
    """
    usual = small_training()
    connected = usual.connected.model_copy(
        update={"steps": steps, "monitor_every": 5} | ({"optimizer": part(sgd, lr=1e-3)} if by_sgd else {})
    )
    return usual.model_copy(update={"single": usual.single.model_copy(update={"steps": 200}), "connected": connected})
