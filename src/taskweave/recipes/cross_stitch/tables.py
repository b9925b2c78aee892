"""The cross-stitch paper's tables and its figure 2.

Options of all but table 6. small: 160 x 208, a thin FCN-32s, bodies pre-trained on generated scenes. data, seeds, weights:
as in `protocol.full` and `protocol.small`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import NYUV2, Beside, at
from taskweave.recipes.cross_stitch import protocol
from taskweave.recipes.cross_stitch.protocol import CAFFENET, stitched
from taskweave.recipes.usual import Given, Seeds, by_adam, place

STARTS = ((0.1, 0.9), (0.5, 0.5), (0.7, 0.3), (0.9, 0.1))
"""(alpha_S, alpha_D): of a stream's own features and of the other stream's."""
STARTS_SHOWN = ("(0.9, 0.1)", "(0.5, 0.5)", "(0.1, 0.9)")
"""Those of table 4, in the paper's order."""
RATES = (1, 10, 100, 1000)
SIZE_OF_FIGURE = (128, 160)
"""(height, width) of the small figure's pictures: two thirds of the other tables', since there are nine rows."""

_beside = partial(Beside, "cross_stitch", columns=NYUV2)


@_beside(("table1",), rows={f"({a:g}, {b:g})": (f"({a:g},{b:g})",) for a, b in STARTS})
def table1(*, small: bool = False, data: Given = None, seeds: Seeds = None, weights: Path = CAFFENET) -> Recipe:
    """Cross-stitch networks, table 1: how the units start, from sharing nearly all to sharing little.

    Single, single trained on, cross-stitch from four pairs of weights.
    """
    rate = 10.0 if small else 100.0
    methods = [stitched(rate, a, b, label=f"({a:g}, {b:g})") for a, b in STARTS]
    if small:
        return protocol.small("table1", methods, data=data, seeds=seeds)
    notes = "The units' rate is 100 times the base rate: the last row then is that of table 2, as in the paper."
    return protocol.full("table1", methods, data=data, seeds=seeds, weights=weights, notes=notes)


@_beside(("table2",), rows={f"rate x {rate}": (str(rate),) for rate in RATES})
def table2(*, small: bool = False, data: Given = None, seeds: Seeds = None, weights: Path = CAFFENET) -> Recipe:
    """Cross-stitch networks, table 2: how many times the base rate the units learn at.

    Single, single trained on, cross-stitch at 1, 10, 100 and 1000 times the rate of the rest. Small: fine-tuned by SGD,
    under which a multiple is what it is in the paper.
    """
    methods = [stitched(rate, label=f"rate x {rate}") for rate in RATES]
    if small:
        by_sgd = protocol.small_training(optimizer={"use": "sgd", "lr": 1e-3})
        return protocol.small("table2", methods, data=data, seeds=seeds, training=by_sgd)
    return protocol.full("table2", methods, data=data, seeds=seeds, weights=weights)


@_beside(("table3",), rows={"ImageNet": ("ImageNet",), "scenes": ("ImageNet",), "one-task": ("One-task",)})
def table3(*, small: bool = False, data: Given = None, seeds: Seeds = None, weights: Path = CAFFENET) -> Recipe:
    """Cross-stitch networks, table 3: whether the streams start from ImageNet or from the one-task networks.

    Single, single trained on, cross-stitch from each of two starts. Small: from bodies pre-trained on generated scenes, and
    from the single networks.
    """
    unit = stitched(protocol.rate(small=small))
    label, start = ("scenes", protocol.SCENES) if small else ("ImageNet", {"use": "file", "path": weights})
    methods = [{**unit, "start": start, "label": label}, {**unit, "label": "one-task"}]
    if small:
        return protocol.small("table3", methods, data=data, seeds=seeds)
    notes = (
        "The 30,000 steps from ImageNet make up for 20,000 of the one-task networks, as the paper counts them; it gives "
        "these 25,000 and 15,000."
    )
    return protocol.full("table3", methods, data=data, seeds=seeds, weights=weights, notes=notes)


@Beside(
    "cross_stitch",
    ("table4",),
    rows={},
    columns={},
    notes=("The paper's table is of pictures: here charts/, where sorted weights of every layer are drawn.",),
)
def table4(*, small: bool = False, data: Given = None, seeds: Seeds = None, weights: Path = CAFFENET) -> Recipe:
    """Cross-stitch networks, table 4: the weights that units learn, sorted, from three starts; pictures without numbers.

    Single, and cross-stitch from three of the four starts of table 1: the same trainings, none of its own. In the small
    form the first of them is also table 5's cross-stitch.
    """
    first = table1(small=small, data=data, seeds=seeds, weights=weights)
    by_label = {method.title: method for method in first.methods}
    return first.model_copy(
        update={
            "name": first.name.replace("table1", "table4"),
            "methods": tuple(by_label[label] for label in STARTS_SHOWN),
            "single_trained_on": False,
            "notes": first.notes.replace("table1", "table4").replace(" Single, trained on is our addition.", ""),
        }
    )


@_beside(
    ("table5",),
    rows={
        "single": ("One-task (normals)", "One-task (segmentation)"),
        "ensemble": ("Ensemble (normals)", "Ensemble (segmentation)"),
        "split conv4": ("Split conv4",),
        "MTL-shared": ("MTL-shared",),
        "cross-stitch": ("Cross-stitch [ours]",),
    },
    notes=("Of Split the paper prints the best split alone.",),
)
def table5(*, small: bool = False, data: Given = None, seeds: Seeds = None, weights: Path = CAFFENET) -> Recipe:
    """Cross-stitch networks, table 5: segmentation into 40 classes and surface normals on NYUv2, methods side by side.

    Single, single trained on, ensemble, split at every stage, MTL-shared, cross-stitch.
    """
    shared = {"use": "shared_latent", "rank": 8 if small else 32, "label": "MTL-shared"}
    methods = ["ensemble", *protocol.splits(), shared, stitched(protocol.rate(small=small))]
    if small:
        return protocol.small("table5", methods, data=data, seeds=seeds)
    notes = "Of Split every one, where the paper prints the best, conv4; counted by the first layer that is not shared."
    return protocol.full("table5", methods, data=data, seeds=seeds, weights=weights, notes=notes)


def figure2(*, small: bool = False, data: Given = None, seeds: Seeds = None, weights: Path = CAFFENET) -> Recipe:
    """Cross-stitch networks, figure 2: every split of segmentation and normals on NYUv2, relative to the one-task networks.

    Single, single trained on, split at every stage, cross-stitch; `taskweave sweep split` of it draws the figure. Full size
    is table 5's protocol, whose runs it shares. Small: smaller pictures and fewer steps than table 5's, so that one seed
    takes a quarter of an hour on two cores.
    """
    methods = [*protocol.splits(), stitched(protocol.rate(small=small))]
    if not small:
        notes = "Split is counted by the first layer that is not shared."
        return protocol.full("figure2", methods, data=data, seeds=seeds, weights=weights, notes=notes)
    short = protocol.small_training((200, 100, 300), monitor_every=5)
    short["joint"]["monitor_every"] = 20
    return protocol.small("figure2", methods, data=data, seeds=seeds, size=SIZE_OF_FIGURE, training=short)


SMALL_SPLITS = ("conv2", "fc6", "fc7")
"""The two of table 6 and the one that section 1.1 names: every split would take a quarter of an hour alone."""
SMALL_CLASSES = ("person", "aeroplane", "bicycle", "cat", "diningtable", "sofa", "train")
"""The most frequent class, and the six whose objects are large in train: median sqrt(area) above .29 of an image's side."""
PROPOSALS = Path("datasets/apascal/proposals.npz")
OBJECTS = {
    "detection": {
        "use": "roi_detection",
        "metrics": [{"use": "average_precision", "interpolation": "11-point"}],
        "nms": 0.3,
    },
    "attributes": {"scale": 1 / 64, "measured_on": "boxes", "interpolation": "11-point"},
}
"""The tasks of table 6."""


@Beside(
    "cross_stitch",
    ("table6",),
    rows={
        "single": ("One-task (detection)", "One-task (attributes)"),
        "ensemble": ("Ensemble (detection)", "Ensemble (attributes)"),
        "split conv2": ("Split conv2",),
        "split fc7": ("Split fc7",),
        "MTL-shared": ("MTL-shared",),
        "cross-stitch": ("Cross-stitch [ours]",),
    },
    columns={"detection_mAP": at("detection", "mAP"), "attributes_mAP": at("attributes", "mAP")},
    notes=("How the paper interpolates its AP is not said; ours is VOC2008's, at 11 points.",),
)
def table6(
    *,
    small: bool = False,
    data: Given = None,
    seeds: Seeds = None,
    weights: Path = CAFFENET,
    proposals: Path = PROPOSALS,
) -> Recipe:
    """Cross-stitch networks, table 6: objects of aPascal (VOC2008) and their 64 attributes, by Fast R-CNN on AlexNet.

    Single, single trained on, ensemble, split at every stage, MTL-shared, cross-stitch.
    small: 7 classes at 160 x 160, a grid of regions, bodies pre-trained on generated scenes, three of the splits.
    data: aPascal (default datasets/apascal; small: ../shared/data/apascal).
    seeds: default 0; the paper names none.
    weights: full size: ImageNet's CaffeNet, where every network starts but its last layers.
    proposals: full size: regions by image (`taskweave.data.write_proposals`), e.g. of selective search.
    """
    if small:
        return _small_table6(place(data, Path("../shared/data/apascal")), seeds or (0,))
    return _full_table6(place(data, Path("datasets/apascal")), seeds or (0,), weights, proposals)


def _methods(*, rank: int, rate: float, splits: Sequence[str] = tuple(protocol.SPLITS)) -> list[Any]:
    """Table 6's rows in its order, under the single networks. splits: by default every one, where the paper prints two."""
    shared = {"use": "shared_latent", "rank": rank, "label": "MTL-shared"}
    return ["ensemble", *protocol.splits(splits), shared, stitched(rate, per="layer")]


def _networks(**options: Any) -> dict[str, Any]:
    """Fast R-CNN for objects, and without boxes for attributes."""
    net = {"use": "fast_rcnn_alexnet", **options}
    return {"detection": net, "attributes": {**net, "boxes": False}}


def _full_table6(data: Path, seeds: Sequence[int], weights: Path, proposals: Path) -> Recipe:
    """What the paper states, then Fast R-CNN's own protocol; the rest is ours and said in the notes."""
    single = {
        "steps": 40_000,
        "batch_size": 2,
        "optimizer": {"use": "sgd", "lr": 1e-3, "momentum": 0.9},
        "schedule": {"use": "step", "every": 30_000, "factor": 0.1},
        "weight_decay": {"streams": 5e-4, "heads": 5e-4, "connections": 0.0},
    }
    sampled = {"count": 64, "foreground": 0.25, "background": (0.1, 0.5), "with_ground_truth": True}
    whole = {"use": "apascal", "path": data, "statistics": "caffe", "size": (600, 1000), "keep_aspect": True}
    return Recipe(
        name="cross_stitch-table6",
        data={**whole, "regions": {"proposals": {"path": proposals}, **sampled}},
        tasks=OBJECTS,
        networks=_networks(),
        start={"use": "file", "path": weights},
        methods=_methods(rank=32, rate=1000.0),
        training={"single": single, "connected": {**single, "steps": 10_000}, "joint": single},
        seeds=seeds,
        evaluation={"batch_size": 1},
        notes=(
            "p001 table 6. Fast R-CNN's protocol where the paper is silent: 2 images of 64 regions, SGD, 600 pixels, "
            "40,000 steps. Ours: 10,000 steps of cross-stitch and its rate x 1000 (the paper's for NYUv2), the rank of "
            "MTL-shared, 11-point AP for attributes, proposals from a file. Split is counted by the first layer that is "
            "not shared. Single, trained on is our addition."
        ),
    )


def _small_table6(data: Path, seeds: Sequence[int]) -> Recipe:
    # Tried on a part of train (docs/results/cross-stitch-small.md). Ninety images and no weights of ImageNet: with scales,
    # crops and colours varied the detector does not even fit its training images in so few steps.
    single = by_adam(220, lr=5e-4, batch_size=4)
    tuned = {"steps": 60, "optimizer": {"use": "adam", "lr": 1e-4}, "log_every": 3, "monitor_every": 5}
    grid = {"scales": (0.12, 0.2, 0.35, 0.55, 0.8, 1.0), "ratios": (0.5, 1.0, 2.0), "overlap": 0.5}
    some = {"use": "apascal", "path": data, "classes": SMALL_CLASSES, "size": (160, 160), "keep_aspect": True}
    return Recipe(
        name="cross_stitch-table6-small",
        data={**some, "regions": {"proposals": grid, "count": 48, "with_ground_truth": True}},
        tasks=OBJECTS,
        networks=_networks(body="torchvision", hidden=512, dropout=0.0),
        start={"use": "scenes", "steps": 400, "batch_size": 8, "images": 1000, "size": (128, 160)},
        methods=_methods(rank=16, rate=10.0, splits=SMALL_SPLITS),
        training={"single": single, "connected": {**single, **tuned}, "joint": {**single, "steps": 280}},
        seeds=seeds,
        evaluation={"batch_size": 4},
        notes=(
            "p001 table 6, small: the most frequent class and the six largest, regions of a grid, torchvision's AlexNet, "
            "another size, width, amount of data and of training. Splits: the paper's two and fc6 of its section 1.1."
        ),
    )
