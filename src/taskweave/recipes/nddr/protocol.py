"""What the NDDR-CNN paper's tables on NYUv2 have in common: its protocol, and the small size of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.cross_stitch.protocol import stitched
from taskweave.recipes.usual import Given, Seeds, by_adam, place, varied

STEPS = 20001
POOLS = ("pool1", "pool2", "pool3", "pool4", "pool5")
VOC = Path("deeplab_largefov_voc.safetensors")
"""DeepLab-LargeFOV trained on VOC."""

SLUICE = "The sluice's start is ours, its code was not released."
"""For the notes of tables that have one."""

SMALL_ANGLES = (
    "The printed angles are in the space of 8-bit codes, where they are about half as large; those of the small form are "
    "true ones."
)
"""What stands beside the small forms of tables on NYUv2."""

STAGES = ("stem", "layer1", "layer2", "layer3", "layer4")
SIZE = (128, 160)
"""(height, width) of the small recipes' pictures."""
SWEEP_SIZE = (96, 128)
"""The same in the sweeps, which have more rows for the same quarter of an hour."""
SCENES = {"use": "scenes", "steps": 300, "batch_size": 8, "images": 1000, "size": SIZE}
"""The start of the small recipes."""


def nddr(*, small: bool, own: float = 0.9, other: float = 0.1, **more: Any) -> dict[str, Any]:
    """NDDR as the paper has it: its weights at the start, its layers at 100 times the base rate; small: by Adam, at 1."""
    rate = {} if small else {"rate": 100.0}
    return {"use": "nddr", "self_weight": own, "other_weight": other, **rate, **more}


def units(*, small: bool, **more: Any) -> list[Any]:
    """Cross-stitch, sluice and NDDR. more: what all of them have, e.g. a shortcut."""
    # under Adam a weight moves by about the rate per step, whatever its gradient: mixing weights need more
    faster = {"rate": 10.0} if small else {}
    return [
        stitched(10.0 if small else 1000.0, **more),
        {"use": "sluice", "subspaces": 2, **faster, **more},
        nddr(small=small, **more),
    ]


def resnet(body: str) -> dict[str, Any]:
    """A DeepLab for small pictures."""
    return {"use": "deeplab_resnet", "body": body, "head": {"rates": (1, 2, 4, 6)}}


def full(
    table: str,
    methods: Sequence[Any],
    *,
    data: Given,
    seeds: Seeds,
    weights: Path,
    notes: str = "",
    network: Any = "deeplab_vgg16",
    at: tuple[str, ...] = POOLS,
    training: Mapping[str, Any] | None = None,
    augment: Sequence[Any] | None = None,
) -> Recipe:
    """A table at full size: what the paper states and, where it is silent, the authors' code's.

    data: NDDR's list files (default datasets/nyu_v2).  seeds: default 1234, the authors'.
    weights: where every network starts but its last layer.  training, augment: in place of the paper's usual.
    """
    cropped = varied((321, 321), scale=(0.5, 1.5), colour=0.0)
    return Recipe(
        name=f"nddr-{table}",
        data={
            "use": "nyuv2_lists",
            "path": place(data, Path("datasets/nyu_v2")),
            "statistics": "caffe",
            "augment": augment or cropped,
        },
        tasks=tasks(weight=20.0, single_weight=10.0, angles="raw_uint8"),
        network=network,
        start={"use": "file", "path": weights},
        methods=methods,
        at=at,
        training=training or _training(),
        seeds=seeds or (1234,),
        evaluation={"batch_size": 1},
        notes=(
            f"p002 {table}. Deviations: normals are learned in true space and a mirror turns n_x (the authors do neither); "
            f"angles are measured in their space of 8-bit codes. Single, trained on is our addition. {notes}"
        ).strip(),
    )


def tasks(**normals: Any) -> dict[str, Any]:
    """Segmentation and normals, with losses at an eighth of the size, as the authors' code."""
    return {
        "segmentation": {"loss_resolution": "eighth"},
        "normals": {"loss": "cosine", "loss_resolution": "eighth", **normals},
    }


def by_paper(decay: float) -> dict[str, Any]:
    """SGD with the paper's rates: ten times the base rate for last layers, twenty for their biases."""
    return {
        "optimizer": {"use": "sgd", "lr": 1e-3, "momentum": 0.9},
        "last_layer_lr": 10.0,
        "bias_lr": 20.0,
        "weight_decay": decay,
    }


def _training() -> dict[str, Any]:
    steps = {"steps": STEPS, "batch_size": 10, "schedule": {"use": "poly", "total": STEPS}}
    # the multi-task script halves the decay that the single-task script has
    together = {**steps, **by_paper(2.5e-4)}
    return {"single": {**steps, **by_paper(5e-4)}, "connected": together, "joint": together}


def small(
    table: str,
    methods: Sequence[Any],
    *,
    data: Given,
    seeds: Seeds,
    notes: str = "",
    network: Any = None,
    at: tuple[str, ...] = STAGES,
    training: Mapping[str, Any] | None = None,
    size: tuple[int, int] = SIZE,
) -> Recipe:
    """A table at a size for two cores. What differs from the full size differs for all methods alike.

    data: a folder of rgb/, depth/, label40/, gt_sets/ (default ../shared/data/nyuv2).  seeds: default 0.
    """
    return Recipe(
        name=f"nddr-{table}-small",
        data={
            "use": "nyuv2_folder",
            "path": place(data, Path("../shared/data/nyuv2")),
            "classes": 40,
            "size": size,
            "augment": varied(size, scale=(0.5, 1.5), colour=0.0),
        },
        tasks=tasks(weight=5.0),
        network=network or resnet("resnet18"),
        start=SCENES,
        methods=methods,
        at=at,
        training=training or small_training(),
        seeds=seeds or (0,),
        evaluation={"batch_size": 8},
        notes=(
            f"p002 {table}, small: another backbone, size, optimiser, amount of data and training; angles in true space. "
            f"{notes}"
        ).strip(),
    )


def small_training(steps: tuple[int, int, int] = (250, 150, 400), **connected: Any) -> dict[str, Any]:
    """A minute or two for each method. connected: changes of the fine-tuning.

    Chosen on a quarter of the training part (by scene): under SGD the normals hardly left the constant prediction in so
    few steps, and last layers at 10 and 20 times the rate cost segmentation half its mIoU.
    """
    alone, tuned, joint = steps
    single = by_adam(alone, lr=1e-3)
    changed = {"steps": tuned, "optimizer": {"use": "adam", "lr": 5e-4}, **connected}
    return {"single": single, "connected": {**single, **changed}, "joint": {**single, "steps": joint}}


def small_sweep(*, steps: int, by_sgd: bool = False) -> dict[str, Any]:
    """As `small_training`, shorter, since a sweep has many rows.

    steps: of each connected network.
    by_sgd: fine-tuned by SGD: only there does a multiple of the rate mean what it means in the papers.
    """
    optimizer = {"optimizer": {"use": "sgd", "lr": 1e-3}} if by_sgd else {}
    return small_training((200, steps, 400), monitor_every=5, **optimizer)
