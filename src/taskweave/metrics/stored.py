"""From stored arrays to what each image contributed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

from taskweave import metrics
from taskweave.metrics.metric import JoinedImages
from taskweave.metrics.per_image import PerImage


def restored(arrays: Mapping[str, NDArray[Any]]) -> PerImage:
    """The images whose `PerImage.stored` arrays these are.

    Classes are found by their `kind` among ours and those that are loaded; nothing that the arrays name is imported.

    Raises:
        ValueError: The kind is unknown, or arrays are missing or do not fit.
    """
    kind = str(arrays["kind"]) if "kind" in arrays else ""
    if kind == JoinedImages.kind:
        return JoinedImages(tuple(restored(part) for part in JoinedImages.split(arrays)))
    for name in dir(metrics):
        getattr(metrics, name)  # loads what ours store
    known = {one.kind: one for one in _below(PerImage)}
    if kind not in known:
        raise ValueError(f"stored images of the kind {kind!r} are none of {sorted(known)}; update taskweave")
    return known[kind].from_stored(arrays)


def _below(base: type[Any]) -> Iterator[type[PerImage]]:
    """The concrete classes under a class, ours last, so that no other takes their place."""
    own = [one for one in base.__subclasses__() if not one.__module__.startswith("taskweave.")]
    for one in [*own, *(one for one in base.__subclasses__() if one not in own)]:
        yield from _below(one)
        if "kind" in vars(one):
            yield one
