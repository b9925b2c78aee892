"""Tasks with one answer per image: a class, a box, an age."""

from __future__ import annotations

from typing import Literal, final

from taskweave.experiments.choices.taskchoice import TaskChoice


@final
class ClassificationTask(TaskChoice):
    """A class for the whole image, by cross-entropy; which classes there are is the data's to say."""


@final
class BoxTask(TaskChoice):
    """One box per image."""

    loss: Literal["diou", "diou_as_printed"] = "diou"
    """diou: squared distance of the centres over the squared diagonal; diou_as_printed: the distance (Pet, eq. 2)."""
    unit: Literal["relative", "pixels"] = "relative"
    """What the network's four numbers count: shares of the image's sides, or pixels (the Pet paper's code)."""


@final
class AgeTask(TaskChoice):
    """Years of a face, as the expectation over the probabilities of 0 to 99 (the NDDR paper)."""
