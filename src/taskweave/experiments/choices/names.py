"""What data are labelled with."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

DENSE = ("segmentation", "depth", "normals")
DETECTION, ATTRIBUTES = "detection", "attributes"


class Names(NamedTuple):
    """The tasks that data have labels for, and what the classes, objects and attributes of these are called."""

    labels: tuple[str, ...]
    classes: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """{task: names of its classes}, of tasks that ask for one class of the whole image."""

    def of(self, task: str) -> tuple[str, ...]:
        """The names that a task predicts; () for one without names (depth)."""
        own = {"segmentation": self.classes, DETECTION: self.objects, ATTRIBUTES: self.attributes}
        return {**self.categories, **own}.get(task, ())
