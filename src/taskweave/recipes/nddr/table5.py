"""NDDR-CNN, table 5: the methods of table 4 on ResNet-101."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from taskweave.experiments.choices.method import CrossStitch, Shared, Sluice
from taskweave.experiments.choices.network import DeepLabResNet
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
    if small:
        return protocol.small(
            "table5",
            (
                Shared(until="layer4"),
                CrossStitch(self_weight=0.9, other_weight=0.1, lr_multiplier=10.0),
                Sluice(subspaces=2, lr_multiplier=10.0),
                protocol.OURS.model_copy(update={"lr_multiplier": None}),
            ),
            data=data,
            seeds=seeds,
            network=DeepLabResNet(body="resnet34", rates=(1, 2, 4, 6)),
        )
    methods = (Shared(until="layer4"), protocol.STITCHED, protocol.SLUICED, protocol.OURS)
    return protocol.full(
        "table5",
        methods,
        data=data,
        seeds=seeds,
        weights=weights,
        network=DeepLabResNet(body="resnet101", head="aspp"),
        places=protocol.STAGES,
        notes=(
            "The paper's layers conv1n3, conv2_3n3, conv3_4n3, conv4_6n3, conv5_3n3 are read as the ends of the five "
            f"stages: ResNet-101 has 23 blocks in conv4, and conv1 no third layer. {protocol.SLUICE}"
        ),
    )
