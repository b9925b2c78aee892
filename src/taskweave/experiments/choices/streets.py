"""Data sets of streets: pedestrians and the classes of every pixel."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal, final

from pydantic import Field, field_validator

from taskweave.experiments.choices.data import DataChoice, FolderChoice
from taskweave.experiments.choices.names import DETECTION, Names

PERSON = ("person",)
Step = Annotated[int, Field(ge=1)]


class CaltechChoice(FolderChoice):
    """What both forms of Caltech Pedestrian state; sets 00-05 are for training, 06-10 for the test."""

    train_step: Step = 3
    """Every which frame is trained on: 3 gives 42,782 images."""
    test_step: Step = 30
    """Every which frame is tested on: 30 gives 4,024 images."""
    ignored: tuple[str, ...] = ("people", "person?", "ignore")
    """Classes whose boxes are ignored."""
    border: float = Field(default=5.0, ge=0.0)
    """A person nearer than so many pixels to the image's edge is ignored."""
    aspect: float | None = None
    """Width of every person's box in heights, about its centre; None leaves the boxes as drawn."""

    @property
    def names(self) -> Names:
        return Names((DETECTION,), (), PERSON)


@final
class Caltech(CaltechChoice):
    """Caltech Pedestrian as published: videos (.seq) and annotations (.vbb)."""

    kind: Literal["caltech"] = "caltech"


@final
class CaltechExtracted(CaltechChoice):
    """Caltech Pedestrian as pictures and texts: images/, annotations/. Steps count the original frames."""

    kind: Literal["caltech_extracted"] = "caltech_extracted"
    annotations: Path | None = None
    """Another folder of texts, e.g. corrected ones."""


@final
class KITTI(FolderChoice):
    """KITTI's object labels, pedestrians as persons: all 7,481 images are a test part, as in the cross-connected paper."""

    kind: Literal["kitti"] = "kitti"
    ignored: tuple[str, ...] = ("DontCare", "Person_sitting")
    """Types whose boxes are ignored."""
    most_occluded: int = Field(default=1, ge=0, le=3)
    """What is more occluded than this (0 not, 1 partly, 2 largely, 3 unknown) is ignored."""
    most_truncated: float = Field(default=0.3, ge=0.0, le=1.0)
    """What lies beyond the image by more than this share is ignored."""

    @property
    def native_size(self) -> tuple[int, int]:
        return (375, 1242)

    @property
    def names(self) -> Names:
        return Names((DETECTION,), (), PERSON)


class CityscapesChoice(FolderChoice):
    """What every form of Cityscapes states; its val part is the test part."""

    classes: Literal[19, 7, 2] = 19
    """19 classes, their 7 categories, or person and rider as one class against the rest."""

    @property
    def native_size(self) -> tuple[int, int]:
        return (1024, 2048)


class CityscapesDepthChoice(CityscapesChoice):
    """What every form of Cityscapes with depth states."""

    added: ClassVar[frozenset[str]] = DataChoice.added | {"depth", "farthest"}

    depth: Literal["inverse", "metres"] = "inverse"
    """inverse: disparities as the files' authors scale them. metres: by the camera's baseline and focal length."""
    farthest: float | None = Field(default=80.0, gt=0.0)
    """Metres beyond which there is no depth in metres; None for no limit."""

    @property
    def far(self) -> float:
        return (self.farthest or 80.0) if self.depth == "metres" else 0.25


@final
class Cityscapes(CityscapesDepthChoice):
    """Cityscapes: leftImg8bit/, gtFine/; disparity/ for inverse depth, and camera/ for depth in metres."""

    kind: Literal["cityscapes"] = "cityscapes"
    coded: Literal["labelIds", "labelTrainIds"] = "labelIds"
    """Which of the label files to read; both give the same."""

    @property
    def names(self) -> Names:
        from taskweave.data.readers.streets.cityscapes_labels import CITYSCAPES_CLASSES

        return Names(("segmentation", "depth"), CITYSCAPES_CLASSES[self.classes])


@final
class CityPersons(CityscapesChoice):
    """CityPersons' boxes on Cityscapes' images, and Cityscapes' classes: gtBboxCityPersons/, leftImg8bit/, gtFine/."""

    kind: Literal["citypersons"] = "citypersons"
    classes: Literal[19, 7, 2] = 2
    persons: Annotated[tuple[str, ...], Field(min_length=1)] = ("pedestrian",)
    """Names whose boxes are to be found; other boxes are ignored."""

    @field_validator("persons")
    @classmethod
    def _different(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError(f"persons must differ, got {list(value)}")
        return value

    @property
    def names(self) -> Names:
        from taskweave.data.readers.streets.cityscapes_labels import CITYSCAPES_CLASSES

        return Names((DETECTION, "segmentation"), CITYSCAPES_CLASSES[self.classes], PERSON)
