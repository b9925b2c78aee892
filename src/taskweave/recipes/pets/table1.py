"""Pet paper, table 1: masks, species and head boxes of pets, by five networks, as the public code trains them."""

from __future__ import annotations

from collections.abc import Sequence

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import Beside, Columns, at
from taskweave.recipes.pets import protocol
from taskweave.recipes.places import Given

COLUMNS: Columns = {
    f"{printed}_{part}": at(f"{column}{beside}", metric, factor=100.0)
    for printed, column, metric in (
        ("seg_mIoU", "segmentation", "image mIoU"),
        ("det_IoU", "box", "IoU"),
        ("cls_acc", "species", "accuracy"),
    )
    for part, beside in (("train", " (train)"), ("val", " (validation)"), ("test", ""))
}
"""Where the paper's columns go."""


@Beside(
    "pets",
    ("table1",),
    rows={label: (label,) for label in ("Baseline", "Binary Ablation", "B.Box Ablation", "MTL", "OEQ")},
    columns=COLUMNS,
    notes=(
        "The mIoU of the paper's code is a mean over images, in which an absent class counts 0: it stands at image mIoU, "
        "not mIoU.",
    ),
)
def recipe(*, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None) -> Recipe:
    """Baseline, Binary Ablation, B.Box Ablation, MTL, OEQ; measured on train, validation and test.

    small: half the width at 128 x 128, encoders pre-trained on generated scenes.
    data: the Oxford-IIIT Pet data set (default datasets/oxford-iiit-pet; small: ../shared/data/oxford-iiit-pet).
    seeds: default 0; the public code sets none. Without the public code's faults: `pets.table1_sound`.
    """
    make = protocol.small if small else protocol.full
    return make("table1", "published", data=data, seeds=seeds)
