"""Which images and labels, at which size, and how they are varied in training."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self, final

from pydantic import Field, field_validator, model_validator

from taskweave.experiments.choices.choice import Choice
from taskweave.experiments.choices.names import DENSE, Names
from taskweave.experiments.choices.regions import Regions

Size = tuple[Annotated[int, Field(ge=8)], Annotated[int, Field(ge=8)]]
Statistics = Literal["imagenet", "caffe", "plain"]
Share = Annotated[float, Field(ge=0.0, lt=1.0)]


@final
class Augmentation(Choice):
    """What a training image goes through, labels with it. Everything off leaves it as it is."""

    mirror: bool = True
    """Left-right mirror with probability 1/2 (n_x changes sign)."""
    scale: tuple[float, float] | None = None
    """Scale drawn evenly from (least, most); depth is divided by it."""
    crop: Size | None = None
    """Random crop of (height, width), padded with the image mean and ignored labels where the image is smaller."""
    zoom_crops: tuple[float, ...] = ()
    """Crop by one of these factors, then back to the image's size; NYUD_MT uses (1, 1.2, 1.5)."""
    colour: float = Field(default=0.0, ge=0.0, le=1.0)
    """Strength of brightness, contrast and saturation jitter."""

    @field_validator("scale")
    @classmethod
    def _rising(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and not 0.0 < value[0] <= value[1]:
            raise ValueError(f"scale is (least, most) with 0 < least <= most, got {value}")
        return value


class DataChoice(Choice):
    """What every choice of data states."""

    added: ClassVar[frozenset[str]] = frozenset({"labels", "regions", "keep_aspect"})

    labels: tuple[str, ...] = ()
    """The tasks whose labels are read from here; () for all tasks of the recipe that these data are labelled for."""
    size: Size | None = None
    """(height, width) to which images and labels are brought once; None keeps the files' own."""
    keep_aspect: bool = False
    """Bring images to `size` as large as they fit in and pad the rest, so that no object is distorted."""
    regions: Regions | None = None
    """What networks that read regions look at; needed for these, of no use to others."""
    statistics: Statistics = "imagenet"
    """How pictures become network input: RGB by ImageNet's mean and deviation, BGR minus Caffe's mean, or RGB in [0, 1]."""
    augmentation: Augmentation = Augmentation()
    validation_share: Share = 0.0
    """Share of the train part, cut by scene, that chooses the best weights; 0 where the last ones are taken."""

    @property
    def native_size(self) -> tuple[int, int]:
        """(height, width) of the pictures as they lie."""
        return (480, 640)

    @property
    def picture_size(self) -> tuple[int, int]:
        """(height, width) at which networks are tested."""
        return self.size or self.native_size

    @property
    def training_size(self) -> tuple[int, int]:
        """(height, width) of training images."""
        return self.augmentation.crop or self.picture_size

    @property
    def far(self) -> float:
        """The depth, in the unit of these data, at which pictures of it reach their last colour."""
        return 10.0

    @property
    def own_validation(self) -> bool:
        """Whether the data have a validation part of their own, which is taken where no share of train is cut off."""
        return False

    @property
    def has_validation(self) -> bool:
        """Whether there is a part beside train and test."""
        return self.validation_share > 0.0 or self.own_validation

    @property
    def may_be_shown(self) -> bool:
        """Whether pictures of these data may be committed or published: generated ones, and the pets that ship here."""
        return False

    @property
    @abstractmethod
    def names(self) -> Names:
        """What these data are labelled with, without opening any file."""

    def labelled_for(self, tasks: Iterable[str]) -> tuple[str, ...]:
        """Those of `tasks` whose labels are read from here."""
        offered = self.labels or self.names.labels
        return tuple(task for task in tasks if task in offered)

    @model_validator(mode="after")
    def _has_its_labels(self) -> Self:
        if unknown := [label for label in self.labels if label not in self.names.labels]:
            raise ValueError(f"these data are not labelled for {unknown}; they have {list(self.names.labels)}")
        if self.keep_aspect and self.size is None:
            raise ValueError("keep_aspect says how images are brought to `size`: give a size, e.g. [160, 208]")
        return self


@final
class ScenesData(DataChoice):
    """Generated rooms: no download, all labels exact. Rendered once into a cache."""

    kind: Literal["scenes"] = "scenes"
    size: Size = (96, 128)
    train: int = Field(default=256, ge=1)
    """How many training images."""
    test: int = Field(default=64, ge=1)
    """How many test images, of other scenes."""
    seed: int = 0

    @property
    def may_be_shown(self) -> bool:
        return True

    @property
    def names(self) -> Names:
        from taskweave.data.generated.looks import CLASSES, OBJECT_CLASSES
        from taskweave.data.generated.scenes import NAMED

        return Names((*DENSE, "detection", "attributes"), tuple(CLASSES), tuple(OBJECT_CLASSES), NAMED)


class FolderChoice(DataChoice):
    """Data that lie somewhere."""

    path: Path
    """Where they lie; a relative path counts from the working directory."""

    @field_validator("path")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()


class NYUv2Choice(FolderChoice):
    """What every form of NYUv2 states."""

    classes: Literal[13, 40] = 40

    @property
    def names(self) -> Names:
        from taskweave.data.readers.indoor.nyuv2_classes import class_names

        return Names(DENSE, class_names(self.classes))


@final
class NYUv2Folder(NYUv2Choice):
    """NYUv2 as rgb/, depth/, label13/, label40/ and gt_sets/; normals are computed from depth."""

    kind: Literal["nyuv2_folder"] = "nyuv2_folder"


@final
class NYUv2Mat(NYUv2Choice):
    """The official nyu_depth_v2_labeled.mat (needs taskweave[data])."""

    kind: Literal["nyuv2_mat"] = "nyuv2_mat"
    splits: Path
    """splits.mat, which says what is train and test."""
    class_map: Path
    """classMapping40.mat, or an .npy of 894 numbers: the class 1..40 of every raw class."""


@final
class NYUv2Mtan(NYUv2Choice):
    """The npy tree that MTAN published: 288 x 384, 13 classes, depth, normals."""

    kind: Literal["nyuv2_mtan"] = "nyuv2_mtan"
    classes: Literal[13, 40] = 13

    @property
    def native_size(self) -> tuple[int, int]:
        return (288, 384)


@final
class NYUv2Lists(NYUv2Choice):
    """NDDR's list files: 480 x 640, 40 classes, normals as PNG."""

    kind: Literal["nyuv2_lists"] = "nyuv2_lists"
    classes: Literal[40] = 40


@final
class NYUDMT(NYUv2Choice):
    """The NYUD_MT archive: 480 x 640, 40 classes, depth, normals."""

    kind: Literal["nyud_mt"] = "nyud_mt"
    classes: Literal[40] = 40
