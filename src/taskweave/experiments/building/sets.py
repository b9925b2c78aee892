"""From a choice of data to the data set that lies there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taskweave import data as room
from taskweave.data.dataset import LabelledSet
from taskweave.experiments.building.stored import open_stored
from taskweave.experiments.choices.boxes import VOC, APascal, Birds
from taskweave.experiments.choices.data import ScenesData
from taskweave.experiments.choices.mixture import OneSet
from taskweave.experiments.choices.store import StoreData
from taskweave.parts import Part, options_of


def open_set(data: OneSet, part: str, labels: Sequence[str]) -> LabelledSet:
    """The train or test part of a data set, or the validation part of one that has its own, with those labels.

    Raises FileNotFoundError for a folder or file that is not there, ValueError for what cannot be read.
    """
    if isinstance(data, StoreData):
        return open_stored(data, part, labels)
    opened = part_of(data)(part)
    if isinstance(data, ScenesData):
        return opened.only([label for label in opened.labels if label in labels])
    return opened.only(labels)


def part_of(data: OneSet) -> Part[LabelledSet]:
    """The call that opens a data set, with the options that were chosen."""
    call = getattr(room, data.kind)
    chosen: dict[str, Any] = {name: value for name, value in data if name in options_of(call).model_fields}
    if isinstance(data, VOC | APascal):
        chosen["classes"] = data.classes or None
    if isinstance(data, Birds):
        chosen["area"] = data.part
    return Part(call, chosen)
