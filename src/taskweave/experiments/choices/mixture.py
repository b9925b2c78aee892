"""One data set, or several of which each labels some of the tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self, final

from pydantic import Field, model_validator

from taskweave.experiments.choices.boxes import COCO, VOC, APascal, Birds, BoxCSV, PennFudan
from taskweave.experiments.choices.choice import Choice
from taskweave.experiments.choices.data import (
    NYUDMT,
    NYUv2Folder,
    NYUv2Lists,
    NYUv2Mat,
    NYUv2Mtan,
    ScenesData,
    Statistics,
)
from taskweave.experiments.choices.faces import IMDBWiki, UTKFace
from taskweave.experiments.choices.pets_data import Pets, PetsH5, PetsSample
from taskweave.experiments.choices.republished import AdaShareCityscapes, AdaShareNYUv2, AutoLambda, CityscapesMtan
from taskweave.experiments.choices.store import StoreData
from taskweave.experiments.choices.streets import KITTI, Caltech, CaltechExtracted, CityPersons, Cityscapes

OneSet = (
    ScenesData
    | NYUv2Folder
    | NYUv2Mat
    | NYUv2Mtan
    | NYUv2Lists
    | NYUDMT
    | PennFudan
    | VOC
    | APascal
    | COCO
    | BoxCSV
    | Birds
    | Caltech
    | CaltechExtracted
    | KITTI
    | Cityscapes
    | CityPersons
    | CityscapesMtan
    | AutoLambda
    | AdaShareNYUv2
    | AdaShareCityscapes
    | Pets
    | PetsH5
    | PetsSample
    | UTKFace
    | IMDBWiki
    | StoreData
)
DataSet = Annotated[OneSet, Field(discriminator="kind")]


@final
class ConstantInterval(Choice):
    """Switch to the next data set after so many batches (the cross-connected paper; it does not print how many)."""

    kind: Literal["constant_interval"] = "constant_interval"
    batches: int = Field(default=1, ge=1)


@final
class Proportional(Choice):
    """Data sets drawn in proportion to their sizes."""

    kind: Literal["proportional"] = "proportional"


@final
class Temperature(Choice):
    """Data sets drawn in proportion to size ** (1 / t)."""

    kind: Literal["temperature"] = "temperature"
    t: float = Field(gt=0.0)


@final
class RoundRobin(Choice):
    """One batch of each data set in turn."""

    kind: Literal["round_robin"] = "round_robin"


Schedule = Annotated[ConstantInterval | RoundRobin | Proportional | Temperature, Field(discriminator="kind")]


@final
class MixtureData(Choice):
    """Several data sets; networks are trained on all that label a task of theirs, and tested on each set's own test part.

    Raises ValueError for sets that are prepared with other statistics, or mixed in batches at other sizes.
    """

    kind: Literal["mixture"] = "mixture"
    sets: Annotated[dict[str, DataSet], Field(min_length=1)]
    """By name, in the order of their turns. Where two label one task, the table has a column for each."""
    schedule: Schedule = ConstantInterval()
    """Whose turn it is."""
    mixed_batches: bool = False
    """Batches hold samples of several sets (turns are then samples), which need one size of training images."""

    @model_validator(mode="after")
    def _alike(self) -> Self:
        statistics = {name: one.statistics for name, one in self.sets.items()}
        if len(set(statistics.values())) > 1:
            raise ValueError(f"all sets of a mixture feed the same networks: statistics must be equal, got {statistics}")
        sizes = {name: one.training_size for name, one in self.sets.items()}
        if self.mixed_batches and len(set(sizes.values())) > 1:
            raise ValueError(
                f"mixed batches need one size of training images, got {sizes}; give every set the same size or "
                "augmentation.crop, or leave mixed_batches out"
            )
        return self

    @property
    def statistics(self) -> Statistics:
        return self._first.statistics

    @property
    def picture_size(self) -> tuple[int, int]:
        """Of the first set: for the cost of a picture."""
        return self._first.picture_size

    @property
    def training_size(self) -> tuple[int, int]:
        """Of the first set: for the cost of a step."""
        return self._first.training_size

    @property
    def may_be_shown(self) -> bool:
        return all(one.may_be_shown for one in self.sets.values())

    @property
    def _first(self) -> OneSet:
        return next(iter(self.sets.values()))


Data = Annotated[OneSet | MixtureData, Field(discriminator="kind")]

ONLY = "data"
"""What the only data set of a recipe without a mixture is called."""


@final
class FurtherTest(Choice):
    """A test on other data, never trained on, for the tasks that they are labelled for: does what is learned carry over?"""

    data: DataSet
    part: Literal["test", "train"] = "test"
    """Which part of these data; none of it is ever trained on."""


def sets_of(data: OneSet | MixtureData) -> Mapping[str, OneSet]:
    """The data sets of a choice, by name."""
    return data.sets if isinstance(data, MixtureData) else {ONLY: data}
