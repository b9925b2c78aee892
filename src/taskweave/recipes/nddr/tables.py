"""The NDDR-CNN paper's tables.

Options of all but table 7. small: ResNet-18 at 128 x 160, bodies pre-trained on generated scenes, a few minutes per method
on two cores; sweeps at 96 x 128 for fewer steps. data, seeds: as in `protocol.full` and `protocol.small`. weights: where
every network of full size starts but its last layer; DeepLab-LargeFOV trained on VOC unless another is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import NYUV2, Beside, at
from taskweave.recipes.cross_stitch import protocol as cross_stitch
from taskweave.recipes.nddr import protocol
from taskweave.recipes.nddr.protocol import SWEEP_SIZE, VOC, nddr, small_sweep, units
from taskweave.recipes.usual import Given, Seeds, place, varied

STARTS = ((1.0, 0.0), (0.9, 0.1), (0.5, 0.5), (0.1, 0.9), (0.0, 1.0))
"""(alpha, beta): the diagonals for a stream's own features and for the other stream's."""
STARTS_OF_STITCHES = ((0.9, 0.1), (0.7, 0.3), (0.5, 0.5))
RATES = (1, 10, 100, 1000)
SHORTCUT = {"shortcut": {"use": "shortcut", "channels": 512, "normalise": True}}
SIDE, SMALL_SIDE = (224, 224), (64, 64)
FACES = {"age": {}, "gender": {"use": "classification"}}

_rates = {f"rate x {rate}": (str(rate),) for rate in RATES}
_units = {"cross-stitch": ("C.-S.",), "sluice": ("Sluice",), "NDDR": ("Ours",)}
_beside = partial(Beside, "nddr", columns=NYUV2, small_notes=(protocol.SMALL_ANGLES,))


def _starts(pairs: Sequence[tuple[float, float]]) -> dict[str, tuple[str, ...]]:
    """Rows that are called by their weights at the start, here as in the paper."""
    return {label: (label,) for label in (f"({a:g}, {b:g})" for a, b in pairs)}


@_beside(("table1",), rows={**_starts(STARTS), "random": ("Random",)})
def table1(*, small: bool = False, data: Given = None, seeds: Seeds = None, weights: Path = VOC) -> Recipe:
    """NDDR-CNN, table 1: how NDDR layers start, from the own stream alone to the other's alone, and at random.

    Single, single trained on, NDDR from five pairs of weights and from Xavier's random ones.
    """
    methods = [nddr(small=small, own=a, other=b, label=f"({a:g}, {b:g})") for a, b in STARTS]
    methods.append({"use": "nddr", "initial": "xavier", "rate": methods[0].get("rate"), "label": "random"})
    if small:
        sweep = small_sweep(steps=75)
        return protocol.small("table1", methods, data=data, seeds=seeds, training=sweep, size=SWEEP_SIZE)
    return protocol.full("table1", methods, data=data, seeds=seeds, weights=weights)


@_beside(("table2",), rows=_rates)
def table2(*, small: bool = False, data: Given = None, seeds: Seeds = None, weights: Path = VOC) -> Recipe:
    """NDDR-CNN, table 2: how many times the base rate NDDR layers learn at.

    Single, single trained on, NDDR at 1, 10, 100 and 1000 times the rate of the rest. Small: fine-tuned by SGD, under which
    a multiple is what it is in the paper.
    """
    methods = [nddr(small=small, rate=rate, label=f"rate x {rate}") for rate in RATES]
    if small:
        sweep = small_sweep(steps=100, by_sgd=True)
        return protocol.small("table2", methods, data=data, seeds=seeds, training=sweep, size=SWEEP_SIZE)
    return protocol.full("table2", methods, data=data, seeds=seeds, weights=weights)


@_beside(
    ("table3",),
    rows={
        **dict.fromkeys(("Init. (ImageNet)", "Init. (random)"), ("Init.",)),
        **dict.fromkeys(("Pret. (VOC)", "Pret. (scenes)"), ("Pret.",)),
        "Sing.": ("Sing.",),
    },
)
def table3(*, small: bool = False, data: Given = None, seeds: Seeds = None, weights: Path = VOC) -> Recipe:
    """NDDR-CNN, table 3: what the streams start from: ImageNet, VOC, or the single-task networks.

    Single, single trained on, NDDR from each of three starts. Small: from random weights, from bodies pre-trained on
    generated scenes, from the single networks.
    """
    voc = {"use": "file", "path": weights}
    small_starts = {"Init. (random)": "scratch", "Pret. (scenes)": protocol.SCENES, "Sing.": None}
    full_starts = {"Init. (ImageNet)": "library", "Pret. (VOC)": voc, "Sing.": None}
    starts = small_starts if small else full_starts
    methods = [nddr(small=small, start=start, label=label) for label, start in starts.items()]
    if small:
        return protocol.small("table3", methods, data=data, seeds=seeds)
    notes = (
        "The paper does not say what Init. is: here ImageNet's VGG-16. Init. and Pret. are trained for as many steps as "
        "Sing. is fine-tuned; Sing. has its single networks' steps besides."
    )
    return protocol.full("table3", methods, data=data, seeds=seeds, weights=weights, notes=notes)


@_beside(
    ("table4",),
    rows={
        "single": ("Sing.",),
        **dict.fromkeys(("shared until pool5", "shared until layer4"), ("Mul.",)),
        **_units,
    },
)
def table4(*, small: bool = False, data: Given = None, seeds: Seeds = None, weights: Path = VOC) -> Recipe:
    """NDDR-CNN, table 4: segmentation into 40 classes and surface normals on NYUv2, methods side by side.

    Single, single trained on, shared, cross-stitch, sluice, NDDR; in the small form also cross-connected.
    """
    methods = [{"use": "shared", "until": "layer4" if small else "pool5"}, *units(small=small)]
    if small:
        crossed = {"use": "cross_connection", "gate": True}
        return protocol.small("table4", [*methods, crossed], data=data, seeds=seeds)
    return protocol.full("table4", methods, data=data, seeds=seeds, weights=weights, notes=protocol.SLUICE)


VOC_RESNET = Path("deeplab_resnet101_voc.safetensors")
"""DeepLab-ResNet-101 trained on VOC."""


@_beside(("table5",), rows={"single": ("Sing.",), "shared until layer4": ("Mult.",), **_units})
def table5(*, small: bool = False, data: Given = None, seeds: Seeds = None, weights: Path = VOC_RESNET) -> Recipe:
    """NDDR-CNN, table 5: the methods of table 4 on ResNet-101.

    Single, single trained on, shared, cross-stitch, sluice, NDDR. Small: ResNet-34.
    """
    methods = [{"use": "shared", "until": "layer4"}, *units(small=small)]
    if small:
        return protocol.small("table5", methods, data=data, seeds=seeds, network=protocol.resnet("resnet34"))
    notes = (
        "The paper's layers conv1n3, conv2_3n3, conv3_4n3, conv4_6n3, conv5_3n3 are read as the ends of the five "
        f"stages: ResNet-101 has 23 blocks in conv4, and conv1 no third layer. {protocol.SLUICE}"
    )
    net, stages = {"use": "deeplab_resnet", "body": "resnet101"}, protocol.STAGES
    return protocol.full("table5", methods, data=data, seeds=seeds, weights=weights, notes=notes, network=net, at=stages)


@_beside(
    ("table6",),
    rows={
        "single + shortcut": ("Sing.",),
        **dict.fromkeys(("shared until pool5 + shortcut", "shared until layer4 + shortcut"), ("Mult.",)),
        **{f"{label} + shortcut": names for label, names in _units.items()},
    },
)
def table6(*, small: bool = False, data: Given = None, seeds: Seeds = None, weights: Path = VOC) -> Recipe:
    """NDDR-CNN, table 6: the methods of table 4 with the shortcut, single networks too.

    Single, single trained on, shared, cross-stitch, sluice, NDDR; every one with the shortcut.
    """
    methods = [
        {"use": "single", **SHORTCUT},
        {"use": "shared", "until": "layer4" if small else "pool5", **SHORTCUT},
        *units(small=small, **SHORTCUT),
    ]
    if small:
        return protocol.small("table6", methods, data=data, seeds=seeds)
    notes = (
        "The shortcut starts at random and learns at the base rate; the authors' at 100 times it, by its name alone. "
        f"{protocol.SLUICE}"
    )
    return protocol.full("table6", methods, data=data, seeds=seeds, weights=weights, notes=notes)


@Beside(
    "nddr",
    ("table7",),
    rows={
        "single": ("Single-Task",),
        "shared until pool5": ("Multi-Task",),
        **_units,
        "cross-stitch": ("Cross-Stitch",),
    },
    columns={
        "age_mean_AE_years": at("age", "mean AE"),
        "age_median_AE_years": at("age", "median AE"),
        "gender_acc": at("gender", "accuracy"),
    },
    small_notes=("The printed ages are of IMDB-WIKI; the small form reads UTKFace.",),
)
def table7(*, small: bool = False, data: Given = None, seeds: Seeds = None) -> Recipe:
    """NDDR-CNN, table 7: age and gender of faces on IMDB-WIKI, methods side by side.

    Single, single trained on, shared, cross-stitch, sluice, NDDR, with units at pool1 ... pool5 of VGG-16.
    small: UTKFace at 64 x 64, VGG-16 of a quarter of the width with batch norm and a pooled linear head.
    data: full size: imdb_crop/ and wiki_crop/ (default datasets/imdb_wiki); small: UTKFace's folder (default
        ../shared/data/UTKFace). Faces: pictures of the comparison are for your own use.
    seeds: default 1234, the authors' in their other tables; small: 0.
    """
    methods = [{"use": "shared", "until": "pool5"}, *units(small=small)]
    if small:
        # Chosen on three quarters of the train part, measured on the rest: after 300 steps a single network has a mean
        # error of 13.3 years, where a constant has 20.5. As many as fit ten minutes on one core.
        usual = protocol.small_training((500, 150, 650), optimizer={"use": "adam", "lr": 3e-4})
        path = place(data, Path("../shared/data/UTKFace"))
        return Recipe(
            name="nddr-table7-small",
            data={"use": "utkface", "path": path, "size": SMALL_SIDE, "augment": varied(SMALL_SIDE, scale=(0.9, 1.15))},
            tasks=FACES,
            network={"use": "vgg16", "head": "pooled_linear", "width": 16, "batch_norm": True},
            start={**protocol.SCENES, "size": (96, 128)},
            methods=methods,
            at=protocol.POOLS,
            training={stage: {**options, "batch_size": 32} for stage, options in usual.items()},
            seeds=seeds or (0,),
            evaluation={"batch_size": 32, "pictures": 0},
            notes=(
                "p002 table 7, small: UTKFace, whose split is not by person, at 64 x 64; another width, head, start, "
                "optimiser, amount of data and of training. No pictures are drawn: they are faces."
            ),
        )
    training = {"steps": 20_000, "batch_size": 32, "schedule": "poly", **protocol.by_paper(5e-4)}
    path = place(data, Path("datasets/imdb_wiki"))
    return Recipe(
        name="nddr-table7",
        data={"use": "imdb_wiki", "path": path, "size": SIDE, "keep_aspect": True},
        tasks=FACES,
        network="vgg16",
        start="library",
        methods=methods,
        at=protocol.POOLS,
        training={"single": training, "connected": training, "joint": training},
        seeds=seeds or (1234,),
        evaluation={"batch_size": 32},
        notes=(
            "p002 table 7. The paper says: VGG-16, NDDR layers after pool1 ... pool5, cross-entropy over 100 ages and 2 "
            "genders, subjects apart. Ours, since it is not in the paper: 224 x 224, the start from ImageNet, 20,000 steps "
            "of 32 (four epochs), the rates and decay of its tables on NYUv2, which 2,000 subjects are tested. Single, "
            f"trained on is our addition. {protocol.SLUICE}"
        ),
    )


@_beside(("tableA1",), rows=_units)
def table_a1(
    *, small: bool = False, data: Given = None, seeds: Seeds = None, weights: Path = cross_stitch.CAFFENET
) -> Recipe:
    """NDDR-CNN, table A1: cross-stitch, sluice and NDDR on AlexNet.

    Single, single trained on, cross-stitch, sluice, NDDR. Small: a thin AlexNet.
    weights: ImageNet's CaffeNet.
    """
    methods, places = units(small=small), cross_stitch.PLACES
    if small:
        thin = {"use": "fcn32s_alexnet", "hidden": 512}
        return protocol.small("tableA1", methods, data=data, seeds=seeds, network=thin, at=places)
    notes = (
        'The "same hyperparameters as" the cross-stitch paper\'s are read as its network, places, augmentation, steps, '
        f"batch and rates; tasks, losses and measures are those of the other tables. {protocol.SLUICE}"
    )
    return protocol.full(
        "tableA1",
        methods,
        data=data,
        seeds=seeds,
        weights=weights,
        notes=notes,
        network="fcn32s_alexnet",
        at=places,
        training=cross_stitch.full_training(),
        augment=cross_stitch.AUGMENT,
    )


@_beside(("tableA2_init", "tableA2_scale"), rows={**_starts(STARTS_OF_STITCHES), **_rates})
def table_a2(*, small: bool = False, data: Given = None, seeds: Seeds = None, weights: Path = VOC) -> Recipe:
    """NDDR-CNN, table A2: the start and the rate of cross-stitch units on VGG-16.

    Single, single trained on, cross-stitch from three pairs of weights, and at four rates. The first of the pairs and the
    last of the rates are one training: (0.9, 0.1) at 1000 times the base rate. Small: fine-tuned by SGD, as in table 2.
    """
    stitched = cross_stitch.stitched
    methods = [
        *(stitched(1000.0, a, b, label=f"({a:g}, {b:g})") for a, b in STARTS_OF_STITCHES),
        *(stitched(rate, label=f"rate x {rate}") for rate in RATES),
    ]
    if small:
        sweep = small_sweep(steps=100, by_sgd=True)
        return protocol.small("tableA2", methods, data=data, seeds=seeds, training=sweep, size=SWEEP_SIZE)
    return protocol.full("tableA2", methods, data=data, seeds=seeds, weights=weights)
