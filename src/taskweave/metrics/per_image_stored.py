"""What each image contributed as plain arrays, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taskweave.metrics.per_image import PerImage
from taskweave.metrics.per_image_accuracy import AccuracyImages
from taskweave.metrics.per_image_coco import CocoImages
from taskweave.metrics.per_image_errors import AbsoluteErrorImages, BoxIoUImages, DepthImages
from taskweave.metrics.per_image_joined import JoinedImages
from taskweave.metrics.per_image_normals import NormalsImages
from taskweave.metrics.per_image_ranking import AveragePrecisionImages, MissRateImages
from taskweave.metrics.per_image_segmentation import SegmentationImages

Arrays = dict[str, NDArray[Any]]

_PLAIN = (
    SegmentationImages
    | DepthImages
    | NormalsImages
    | AccuracyImages
    | AbsoluteErrorImages
    | BoxIoUImages
    | AveragePrecisionImages
    | MissRateImages
    | CocoImages
)
"""Frozen dataclasses whose fields are arrays, numbers and texts."""

_KINDS: dict[str, type[_PLAIN]] = {one.kind: one for one in _PLAIN.__args__}


def stored(images: PerImage) -> Arrays:
    """{name: array} from which `restored` makes the images: "kind" and a field each; whole numbers in few bytes.

    Single values have no axes. The parts of `JoinedImages` are numbered: "0/kind". Raises TypeError for other classes.
    """
    if isinstance(images, JoinedImages):
        parts = {f"{i}/{name}": array for i, part in enumerate(images.parts) for name, array in stored(part).items()}
        return {"kind": np.asarray(images.kind), **parts}
    if not isinstance(images, _PLAIN):
        raise TypeError(f"{type(images).__name__} cannot be stored; add it to the kinds in {__name__}")
    arrays = {field.name: _small(np.asarray(getattr(images, field.name))) for field in fields(images)}
    return {"kind": np.asarray(images.kind), **arrays}


def restored(arrays: Mapping[str, NDArray[Any]]) -> PerImage:
    """The images whose `stored` arrays these are. Raises ValueError for an unknown kind, or arrays that do not fit."""
    kind = str(arrays["kind"]) if "kind" in arrays else ""
    if kind == JoinedImages.kind:
        parts: dict[str, Arrays] = {}
        for name, array in arrays.items():
            number, _, rest = name.partition("/")
            if rest:
                parts.setdefault(number, {})[rest] = array
        return JoinedImages(tuple(restored(part) for part in parts.values()))
    if kind not in _KINDS:
        raise ValueError(f"stored images of the kind {kind!r} are none of {sorted(_KINDS)}; update taskweave")
    return _plain(_KINDS[kind], arrays)


def _plain(one: type[_PLAIN], arrays: Mapping[str, NDArray[Any]]) -> PerImage:
    names = [field.name for field in fields(one)]
    if missing := [name for name in names if name not in arrays]:
        raise ValueError(f"{one.__name__} is stored as {names}, but {missing} are missing among {sorted(arrays)}")
    given: dict[str, Any] = {name: arrays[name] if arrays[name].ndim else arrays[name].item() for name in names}
    return one(**given)


def _small(array: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers from 0 in the smallest type that holds them all."""
    if array.dtype.kind not in "iu" or not array.size or array.min() < 0:
        return array
    return array.astype(np.min_scalar_type(int(array.max())))
