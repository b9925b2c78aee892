"""Video annotations of the Caltech Pedestrian data (.vbb): MATLAB files of boxes, frame by frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from taskweave.data.readers.containers import mat_structure

Box = tuple[float, float, float, float]
"""x, y, width, height as stored."""


class Drawn(NamedTuple):
    """One object of one frame. part: the box of what can be seen, None where nothing is said of it."""

    name: str
    box: Box
    occluded: bool
    part: Box | None


def read_vbb(path: Path) -> list[list[Drawn]]:
    """The objects of each frame.

    The file holds one structure ``A`` with, among others, ``nFrame``, ``objLists`` (one list of objects a frame, each with
    ``id``, ``pos``, ``occl``, ``posv``) and ``objLbl`` (the name of each id, from 1).
    Raises ValueError with the file, and with frame and object, for what is missing or is not a box.
    """
    content = mat_structure(path, "A", ("nFrame", "objLists", "objLbl"))
    lists = content["objLists"].ravel()
    names = [str(_scalar(name)) if name.size else "" for name in content["objLbl"].ravel()]
    announced = int(_scalar(content["nFrame"]))
    if announced != len(lists):
        raise ValueError(f"{path} announces {announced} frames and lists the objects of {len(lists)}: restore the file")
    return [
        [
            _annotated(entry, names, f"{path}, frame {frame} (from 0), object {number}")
            for number, entry in enumerate(objects.ravel(), start=1)
        ]
        for frame, objects in enumerate(lists)
    ]


def _annotated(entry: Any, names: list[str], where: str) -> Drawn:
    missing = [name for name in ("id", "pos", "occl", "posv") if name not in (entry.dtype.names or ())]
    if missing:
        raise ValueError(f"{where} has no {missing[0]!r}: expected id, pos, occl and posv")
    number = int(_scalar(entry["id"]))
    if not 1 <= number <= len(names):
        raise ValueError(f"{where} has id {number}: objLbl names 1..{len(names)}")
    part = np.asarray(entry["posv"], dtype=float).ravel()
    visible = _box(part, "posv", where) if part.any() else None
    return Drawn(names[number - 1], _box(entry["pos"], "pos", where), bool(_scalar(entry["occl"])), visible)


def _box(value: Any, name: str, where: str) -> Box:
    numbers = np.asarray(value, dtype=float).ravel()
    if len(numbers) != 4:
        raise ValueError(f"{where}: {name} is {numbers.tolist()}, expected x, y, width, height")
    x, y, width, height = numbers.tolist()
    return x, y, width, height


def _scalar(value: Any) -> Any:
    """MATLAB has matrices only: the one number or text in them."""
    return np.asarray(value).ravel()[0]
