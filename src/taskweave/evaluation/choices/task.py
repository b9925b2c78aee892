"""Which tasks, with which losses and weights."""

from __future__ import annotations

from typing import Literal, Self, final

from pydantic import Field, model_validator

from taskweave.evaluation.choices.choice import Choice


class TaskChoice(Choice):
    """What every task states."""

    weight: float = Field(default=1.0, gt=0.0)
    """Factor of the task's loss in a network of several tasks."""
    single_weight: float = Field(default=1.0, gt=0.0)
    """Factor of the task's loss in a network of its own."""


@final
class SegmentationTask(TaskChoice):
    """A class for every pixel; how many is the data's to say."""

    loss: Literal["cross_entropy", "focal", "dice"] = "cross_entropy"
    class_weights: Literal["none", "median_frequency"] = "none"
    """median_frequency: counted over the train part."""
    loss_resolution: Literal["eighth", "full"] = "full"
    """Where the loss is taken: at the network's output (labels sampled, as NDDR's code) or at the labels' size."""
    miou: Literal["dataset", "per_image"] = "dataset"


@final
class DepthTask(TaskChoice):
    """Metres for every pixel."""

    loss: Literal["l1", "l2", "huber"] = "l1"
    loss_resolution: Literal["eighth", "full"] = "full"


@final
class NormalsTask(TaskChoice):
    """A unit vector for every pixel."""

    loss: Literal["cosine", "l2", "codebook"] = "cosine"
    """Regression by cosine distance or L2; or classification into directions found by k-means on the train part."""
    directions: int = Field(default=20, ge=2, le=254)
    """How many directions the codebook has."""
    manhattan: bool = False
    """Align predictions with the scene's three orthogonal directions before measuring (p001)."""
    loss_resolution: Literal["eighth", "full"] = "full"
    angles: Literal["true", "raw_uint8"] = "true"
    """raw_uint8: the space of the NDDR papers' tables, where angles are about half as large."""


@final
class Tasks(Choice):
    """The tasks of a recipe; one left out is not predicted."""

    segmentation: SegmentationTask | None = None
    depth: DepthTask | None = None
    normals: NormalsTask | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.chosen:
            raise ValueError(f"a recipe needs at least one of the tasks {list(type(self).model_fields)}")
        return self

    @property
    def chosen(self) -> dict[str, SegmentationTask | DepthTask | NormalsTask]:
        """{name: choice}, in the order of the fields."""
        everything = {"segmentation": self.segmentation, "depth": self.depth, "normals": self.normals}
        return {name: choice for name, choice in everything.items() if choice is not None}
