"""What data are labelled with."""

from __future__ import annotations

from typing import NamedTuple

DENSE = ("segmentation", "depth", "normals")
DETECTION, ATTRIBUTES = "detection", "attributes"


class Names(NamedTuple):
    """The tasks that data have labels for, and what the classes, objects and attributes of these are called."""

    labels: tuple[str, ...]
    classes: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()

    def of(self, task: str) -> tuple[str, ...]:
        """The names that a task predicts; () for one without names (depth)."""
        return {"segmentation": self.classes, DETECTION: self.objects, ATTRIBUTES: self.attributes}.get(task, ())
