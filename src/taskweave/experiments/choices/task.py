"""Which tasks, with which losses and weights."""

from __future__ import annotations

from typing import ClassVar, Literal, Self, final

from pydantic import Field, model_validator

from taskweave.experiments.choices.answers import AgeTask, BoxTask, ClassificationTask
from taskweave.experiments.choices.choice import Choice
from taskweave.experiments.choices.detection import AttributesTask, DetectionTask
from taskweave.experiments.choices.taskchoice import TaskChoice


@final
class SegmentationTask(TaskChoice):
    """A class for every pixel; how many is the data's to say."""

    added: ClassVar[frozenset[str]] = frozenset({"summed", "target_class", "image_miou"})

    loss: Literal["cross_entropy", "focal", "dice"] = "cross_entropy"
    summed: bool = False
    """Cross-entropy summed over all pixels of a batch instead of averaged (the cross-connected paper)."""
    class_weights: Literal["none", "median_frequency"] = "none"
    """median_frequency: counted over the train part."""
    loss_resolution: Literal["eighth", "full"] = "full"
    """Where the loss is taken: at the network's output (labels sampled, as NDDR's code) or at the labels' size."""
    miou: Literal["dataset", "per_image"] = "dataset"
    target_class: str = ""
    """Also measure the IoU of this class alone, as "IoU": what the cross-connected paper calls the target area's."""
    image_miou: bool = False
    """Also measure, as "image mIoU", the mean over images of each one's own mIoU, in which a class that is absent from the
    image counts 0 (the Pet paper's code); mIoU itself stays what `miou` says."""

    @model_validator(mode="after")
    def _sums_cross_entropy(self) -> Self:
        if self.summed and (self.loss != "cross_entropy" or self.class_weights != "none"):
            raise ValueError("summed is of cross-entropy without class weights; leave it out, or loss and class_weights")
        return self


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


OneTask = (
    SegmentationTask | DepthTask | NormalsTask | DetectionTask | AttributesTask | ClassificationTask | BoxTask | AgeTask
)


@final
class Tasks(Choice):
    """The tasks of a recipe; one left out is not predicted."""

    added: ClassVar[frozenset[str]] = frozenset({"detection", "attributes", "species", "breed", "box", "age", "gender"})

    segmentation: SegmentationTask | None = None
    depth: DepthTask | None = None
    normals: NormalsTask | None = None
    detection: DetectionTask | None = None
    attributes: AttributesTask | None = None
    species: ClassificationTask | None = None
    """Cat or dog."""
    breed: ClassificationTask | None = None
    box: BoxTask | None = None
    age: AgeTask | None = None
    gender: ClassificationTask | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.chosen:
            raise ValueError(f"a recipe needs at least one of the tasks {list(type(self).model_fields)}")
        return self

    @property
    def chosen(self) -> dict[str, OneTask]:
        """{name: choice}, in the order of the fields."""
        everything: dict[str, OneTask | None] = {
            "segmentation": self.segmentation,
            "depth": self.depth,
            "normals": self.normals,
            "detection": self.detection,
            "attributes": self.attributes,
            "species": self.species,
            "breed": self.breed,
            "box": self.box,
            "age": self.age,
            "gender": self.gender,
        }
        return {name: choice for name, choice in everything.items() if choice is not None}
