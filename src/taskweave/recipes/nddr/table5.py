"""NDDR-CNN, table 5: the methods of table 4 on ResNet-101."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import NYUV2, Beside, Rows
from taskweave.recipes.nddr import protocol
from taskweave.recipes.places import Given

PRINTED: Rows = {
    "single": ("Sing.",),
    "shared until layer4": ("Mult.",),
    "cross-stitch": ("C.-S.",),
    "sluice": ("Sluice",),
    "NDDR": ("Ours",),
}


@Beside("nddr", ("table5",), rows=PRINTED, columns=NYUV2, small_notes=(protocol.SMALL_ANGLES,))
def recipe(
    *,
    small: bool = False,
    data: Given = None,
    seeds: Sequence[int] | None = None,
    weights: Path = Path("deeplab_resnet101_voc.safetensors"),
) -> Recipe:
    """Single, single trained on, shared, cross-stitch, sluice, NDDR.

    small: ResNet-34.  data, seeds: as in `nddr.table4`.
    weights: full size: DeepLab-ResNet-101 trained on VOC, where every network starts but its last layer.
    """
    methods = [{"use": "shared", "until": "layer4"}, *protocol.units(small=small)]
    if small:
        return protocol.small("table5", methods, data=data, seeds=seeds, network=protocol.resnet("resnet34"))
    return protocol.full(
        "table5",
        methods,
        data=data,
        seeds=seeds,
        weights=weights,
        network={"use": "deeplab_resnet", "body": "resnet101"},
        at=protocol.STAGES,
        notes=(
            "The paper's layers conv1n3, conv2_3n3, conv3_4n3, conv4_6n3, conv5_3n3 are read as the ends of the five "
            f"stages: ResNet-101 has 23 blocks in conv4, and conv1 no third layer. {protocol.SLUICE}"
        ),
    )
