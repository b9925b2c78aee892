"""The way back from stored arrays to what each image contributed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskweave.metrics.per_image import PerImage
from taskweave.metrics.per_image_segmentation import SegmentationImages

_KINDS: tuple[type[PerImage], ...] = (SegmentationImages,)


def stored(images: PerImage) -> dict[str, NDArray[Any]]:
    """What `restored` makes the images from: their arrays, and their kind."""
    return {"kind": np.asarray(images.kind), **images.arrays()}


def restored(arrays: Mapping[str, NDArray[Any]]) -> PerImage:
    """The images whose `stored` arrays these are. Raises ValueError for an unknown kind, or misfits."""
    kind = str(arrays["kind"]) if "kind" in arrays else ""
    for one in _KINDS:
        if one.kind == kind:
            return one.from_arrays(arrays)
    raise ValueError(f"arrays of the kind {kind!r} are none of {[one.kind for one in _KINDS]}; update taskweave")
