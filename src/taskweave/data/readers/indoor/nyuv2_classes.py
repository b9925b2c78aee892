"""The class sets of NYUv2: 40 (Gupta et al. 2013), and the 13 they are grouped into (Couprie et al. 2013)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from taskweave.data import normals
from taskweave.data.facts import DENSE, SetFacts
from taskweave.data.readers.label_codes import LabelCode, regrouped

ClassCount = Literal[13, 40]

REACH = (0.5, 20.0)
"""Metres between which the farthest pixel of a NYUv2 picture lies: its camera measured from .5 m, and up to 10."""

FORTY = (
    "wall", "floor", "cabinet", "bed", "chair", "sofa", "table", "door", "window", "bookshelf",
    "picture", "counter", "blinds", "desk", "shelves", "curtain", "dresser", "pillow", "mirror", "floor mat",
    "clothes", "ceiling", "books", "refrigerator", "television", "paper", "towel", "shower curtain", "box", "whiteboard",
    "person", "night stand", "toilet", "sink", "lamp", "bathtub", "bag", "other structure", "other furniture", "other prop",
)  # fmt: skip
THIRTEEN = (
    "bed", "books", "ceiling", "chair", "floor", "furniture", "objects",
    "painting", "sofa", "table", "tv", "wall", "window",
)  # fmt: skip

FORTY_TO_THIRTEEN = (
    11, 4, 5, 0, 3, 8, 9, 11, 12, 5,
    7, 5, 12, 9, 5, 12, 5, 6, 6, 4,
    6, 2, 1, 5, 10, 6, 6, 6, 6, 6,
    6, 5, 6, 6, 6, 6, 6, 6, 5, 6,
)  # fmt: skip
"""Class id of the 13 (from 0) for each class id of the 40 (from 0)."""


def class_names(classes: ClassCount) -> tuple[str, ...]:
    """The names in the order of the ids, which count from 0."""
    if classes not in (13, 40):
        raise ValueError(f"NYUv2 is labelled with 13 or 40 classes, got classes={classes}")
    return FORTY if classes == 40 else THIRTEEN


def from_forty(code: LabelCode, classes: ClassCount) -> LabelCode:
    """A code of the 40 classes as one of `classes` classes."""
    return code if len(class_names(classes)) == 40 else regrouped(code, FORTY_TO_THIRTEEN)


def nyuv2_facts(options: Mapping[str, Any]) -> SetFacts:
    """What every form of NYUv2 states."""
    return SetFacts("NYUv2", DENSE, class_names(options["classes"]))


def with_derived_normals(options: Mapping[str, Any]) -> SetFacts:
    """What a layout of NYUv2 states in which normals are not stored, but computed from depth."""
    return nyuv2_facts(options)._replace(made_by={"normals": normals.METHOD})
