"""The pet paper's table, as its public code has it and as it is sound.

small: half the width at 128 x 128, encoders pre-trained on generated scenes.
data: the Oxford-IIIT Pet data set (default datasets/oxford-iiit-pet; small: ../shared/data/oxford-iiit-pet).
seeds: default 0; the public code sets none.
"""

from __future__ import annotations

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import Beside, at
from taskweave.recipes.pets import protocol
from taskweave.recipes.usual import Given, Seeds

_PRINTED = (("seg_mIoU", "segmentation", "image mIoU"), ("det_IoU", "box", "IoU"), ("cls_acc", "species", "accuracy"))
_PARTS = (("train", " (train)"), ("val", " (validation)"), ("test", ""))


@Beside(
    "pets",
    ("table1",),
    rows={label: (label,) for label in ("Baseline", "Binary Ablation", "B.Box Ablation", "MTL", "OEQ")},
    columns={
        f"{printed}_{part}": at(f"{column}{beside}", metric, factor=100.0)
        for printed, column, metric in _PRINTED
        for part, beside in _PARTS
    },
    notes=(
        "The mIoU of the paper's code is a mean over images, in which an absent class counts 0: it stands at image mIoU, "
        "not mIoU.",
    ),
)
def table1(*, small: bool = False, data: Given = None, seeds: Seeds = None) -> Recipe:
    """Pet paper, table 1: masks, species and head boxes of pets, by five networks, as the public code trains them.

    Baseline, Binary Ablation, B.Box Ablation, MTL, OEQ; measured on train, validation and test.
    """
    make = protocol.small if small else protocol.full
    return make("table1", "published", data=data, seeds=seeds)


def table1_sound(*, small: bool = False, data: Given = None, seeds: Seeds = None) -> Recipe:
    """Pet paper, table 1, without the public code's faults: logits, convex starts, running statistics at test.

    The same rows, which no paper prints so.
    """
    make = protocol.small if small else protocol.full
    return make("table1-sound", "sound", data=data, seeds=seeds)
