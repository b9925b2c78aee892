"""MT-UNet, table 1's last row: segmentation into 19 classes and inverse depth on Cityscapes."""

from __future__ import annotations

from collections.abc import Sequence

from taskweave.experiments.recipe import Recipe
from taskweave.recipes.beside import Beside
from taskweave.recipes.mt_unet import protocol
from taskweave.recipes.places import Given


@Beside(
    "mt_unet",
    ("table1",),
    rows={"MT-UNet": ("MT-UNet with 19-classes",)},
    columns=protocol.PRINTED_COLUMNS,
    notes=(protocol.PIXEL_ACCURACY, protocol.INVERSE, "The rows of 7 classes stand beside mt_unet/table1."),
)
def recipe(*, small: bool = False, data: Given = None, seeds: Sequence[int] | None = None) -> Recipe:
    """ST-UNet and MT-UNet. A table of its own: means over 19 classes do not compare with those over 7.

    small, data, seeds: as in `mt_unet.table1`.
    """
    methods = (protocol.mt_unet(small=small, label="MT-UNet"),)
    streets = protocol.cityscapes(data, classes=19, small=small)
    if small:
        return protocol.small("table1-19-classes", methods, data=streets, seeds=seeds)
    notes = f"{protocol.INVERSE} ST-UNet on 19 classes is our addition."
    return protocol.full("table1-19-classes", methods, data=streets, of="cityscapes", seeds=seeds, notes=notes)
