"""The class sets of Cityscapes (Cordts et al. 2016): 19 classes, their 7 categories, and persons."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from taskweave.data.readers.label_codes import IGNORE, LabelCode, regrouped

CityscapesCount = Literal[19, 7, 2]

_NINETEEN = (
    "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation", "terrain",
    "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle",
)  # fmt: skip
_SEVEN = ("flat", "construction", "object", "nature", "sky", "human", "vehicle")
_TO_SEVEN = (0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 5, 6, 6, 6, 6, 6, 6)
_TO_PERSON = tuple(int(name in ("person", "rider")) for name in _NINETEEN)

CITYSCAPES_CLASSES: Mapping[CityscapesCount, tuple[str, ...]] = MappingProxyType(
    {19: _NINETEEN, 7: _SEVEN, 2: ("background", "person")}
)
"""Class names by their number: the 19 classes that are evaluated, their categories, and person + rider against the rest."""

_GROUPS: Mapping[CityscapesCount, tuple[int, ...]] = {19: tuple(range(19)), 7: _TO_SEVEN, 2: _TO_PERSON}
_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
"""The labelId of each of the 19; the other ids up to 33 are not evaluated."""

_LABEL_IDS = LabelCode(
    {**dict.fromkeys((*range(34), IGNORE), IGNORE), **{number: k for k, number in enumerate(_IDS)}},
    "labelIds 0..33, or 255 (no class)",
)
_TRAIN_IDS = LabelCode({IGNORE: IGNORE, **{k: k for k in range(19)}}, "trainIds 0..18, or 255 (no class)")


def label_code(coded: Literal["labelIds", "labelTrainIds"], classes: CityscapesCount) -> LabelCode:
    """How the numbers in files of a form name the classes of a set.

    Classes that the benchmark does not evaluate (void, parking, caravan, ...) are 255 in every set, since trainIds cannot
    tell them apart: both forms give the same.
    """
    if coded not in ("labelIds", "labelTrainIds"):
        raise ValueError(f"Cityscapes has no label files {coded!r}: expected 'labelIds' or 'labelTrainIds'")
    if classes not in _GROUPS:
        raise ValueError(f"Cityscapes has no set of {classes} classes: expected one of {list(_GROUPS)}")
    return regrouped(_LABEL_IDS if coded == "labelIds" else _TRAIN_IDS, _GROUPS[classes])
