"""Which images and labels a recipe reads, at which size, and how they are varied in training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, final

from pydantic import Field, field_validator, model_validator
from torch.utils.data import Dataset
from torchvision.transforms import v2

from taskweave.data import ConstantInterval, MixtureSchedule, SetFacts, mirror
from taskweave.data.own import facts_of
from taskweave.experiments.config import Around, Setting
from taskweave.images import CAFFE, IMAGENET, PLAIN, ImageStatistics
from taskweave.parts import Part, part

Size = tuple[Annotated[int, Field(ge=8)], Annotated[int, Field(ge=8)]]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
STATISTICS = {"imagenet": IMAGENET, "caffe": CAFFE, "plain": PLAIN}
ONLY = "data"
"""What the only data set of a recipe without a mixture is called."""


@final
class GridProposals(Setting):
    """Sliding boxes of several scales and shapes, the same for all images of a size: they know nothing of the objects."""

    scales: tuple[Positive, ...] = (0.125, 0.25, 0.5, 1.0)
    """The square root of a box's area, as a share of the image's shorter side."""
    ratios: tuple[Positive, ...] = (0.5, 1.0, 2.0)
    """Height over width."""
    overlap: float = Field(default=0.5, ge=0.0, lt=1.0)
    """Of neighbouring boxes, at least."""


@final
class FileProposals(Setting):
    """Boxes by key, from a file that `taskweave.data.write_proposals` wrote: selective search, an RPN, whatever."""

    path: Path
    """.npz or .json; a relative path counts from the working directory."""
    expected: int = Field(default=2000, ge=1)
    """About how many an image has: for the cost of a picture, nothing else."""

    @field_validator("path")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()


@final
class Regions(Setting):
    """Label-free proposals, and how regions are drawn from them in training, once per image for all streams."""

    proposals: GridProposals | FileProposals = GridProposals()
    """A grid, or boxes of a file (`path`)."""
    count: int = Field(default=64, ge=1)
    """Regions of a training image."""
    foreground: float = Field(default=0.25, gt=0.0, lt=1.0)
    """The largest share of them that is on objects (1 : 3 in Fast R-CNN)."""
    iou: Fraction = 0.5
    """From this overlap on a region is on an object."""
    background: tuple[Fraction, Fraction] = (0.1, 0.5)
    """Background overlaps an object by so much (from, to); less where there are too few such."""
    with_ground_truth: bool = False
    """In training the true boxes are candidates too, as in Fast R-CNN's code; never in a test."""


@final
class Source(Around):
    """A data set, and how networks see it."""

    around: ClassVar[str] = "dataset"

    dataset: Part[Dataset[Any]]
    labels: tuple[str, ...] = ()
    """The tasks whose labels are read from here; () for all tasks of the recipe that these data are labelled for."""
    size: Size | None = None
    """(height, width) to which images and labels are brought once; None keeps the files' own."""
    keep_aspect: bool = False
    """Bring images to `size` as large as they fit in and pad the rest, so that no object is distorted."""
    regions: Regions | None = None
    """What networks that read regions look at; needed for these, of no use to others."""
    statistics: Literal["imagenet", "caffe", "plain"] = "imagenet"
    """How pictures become network input: RGB by ImageNet's mean and deviation, BGR minus Caffe's mean, or RGB in [0, 1]."""
    augment: tuple[Part[v2.Transform], ...] = (part(mirror),)
    """What a training image goes through, labels with it, in this order; () leaves it as it is."""
    validation_share: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Share of the train part, cut by scene, that chooses the best weights; 0 where the last ones are taken."""

    @classmethod
    def kind(cls) -> type:
        return Dataset

    @cached_property
    def facts(self) -> SetFacts:
        """What the data are labelled with, their size and so on: stated by the part, or seen on its train part."""
        stated: SetFacts | None = self.dataset.fact("facts")
        return stated if stated is not None else facts_of(self.dataset("train"), self.dataset.name)

    @property
    def image_statistics(self) -> ImageStatistics:
        return STATISTICS[self.statistics]

    @property
    def says_size(self) -> bool:
        """Whether it says at which size pictures are, here or as an option of the data."""
        return self.size is not None or "size" in self.dataset.options

    @property
    def picture_size(self) -> tuple[int, int]:
        """(height, width) at which networks are tested."""
        return self.size or self.facts.size

    @property
    def training_size(self) -> tuple[int, int]:
        """(height, width) of training images."""
        size = self.size or self.dataset.fact("training_size") or self.facts.size
        for transform in self.augment:
            size = transform.fact("size_after", size, default=size)
        return size

    @property
    def has_validation(self) -> bool:
        """Whether there is a part beside train and test."""
        return self.validation_share > 0.0 or self.facts.own_validation

    @property
    def path(self) -> Path | None:
        """Where the data lie; None for data that need no files."""
        found = self.dataset.options.get("path")
        return found if isinstance(found, Path) else None

    def labelled_for(self, tasks: Iterable[str]) -> tuple[str, ...]:
        """Those of `tasks` whose labels are read from here."""
        offered = self.labels or self.facts.labels
        return tuple(task for task in tasks if task in offered)

    @model_validator(mode="after")
    def _has_its_labels(self) -> Self:
        if self.labels and (unknown := [label for label in self.labels if label not in self.facts.labels]):
            raise ValueError(f"these data are not labelled for {unknown}; they have {list(self.facts.labels)}")
        if self.keep_aspect and not self.says_size:
            raise ValueError("keep_aspect says how images are brought to `size`: give a size, e.g. [160, 208]")
        return self


@final
class MixtureOf(Setting):
    """Several data sets; networks are trained on all that label a task of theirs, and tested on each set's test part."""

    sets: Annotated[dict[str, Source], Field(min_length=1)]
    """By name, in the order of their turns. Where two label one task, the table has a column for each."""
    mixture: Part[MixtureSchedule] = part(ConstantInterval)
    """Whose turn it is."""
    mixed_batches: bool = False
    """Batches hold samples of several sets (turns are then samples), which need one size of training images."""

    @model_validator(mode="after")
    def _alike(self) -> Self:
        statistics = {name: one.statistics for name, one in self.sets.items()}
        if len(set(statistics.values())) > 1:
            raise ValueError(f"all sets of a mixture feed the same networks: statistics must be equal, got {statistics}")
        if not self.mixed_batches:
            return self
        sizes = {name: one.training_size for name, one in self.sets.items()}
        if len(set(sizes.values())) > 1:
            raise ValueError(
                f"mixed batches need one size of training images, got {sizes}; give every set the same size or a "
                "random_crop in `augment`, or leave mixed_batches out"
            )
        return self

    @property
    def _first(self) -> Source:
        return next(iter(self.sets.values()))

    @property
    def statistics(self) -> str:
        return self._first.statistics

    @property
    def image_statistics(self) -> ImageStatistics:
        return self._first.image_statistics

    @property
    def picture_size(self) -> tuple[int, int]:
        """Of the first set: for the cost of a picture."""
        return self._first.picture_size

    @property
    def training_size(self) -> tuple[int, int]:
        """Of the first set: for the cost of a step."""
        return self._first.training_size


@final
class FurtherTest(Setting):
    """A test on other data, never trained on, for the tasks that they are labelled for: does what is learned carry over?"""

    data: Source
    part: Literal["test", "train"] = "test"
    """Which part of these data; none of it is ever trained on."""


def sets_of(data: Source | MixtureOf) -> Mapping[str, Source]:
    """The data sets of a recipe, by name."""
    return data.sets if isinstance(data, MixtureOf) else {ONLY: data}


def made_by(sets: Mapping[str, Source], tasks: Iterable[str]) -> dict[str, int]:
    """{"image" or label: version} of what is generated or computed here, not read from files, and seen by some tasks."""
    seen = ("image", *tasks)
    return {name: version for one in sets.values() for name, version in one.facts.made_by.items() if name in seen}


def may_be_shown(data: Source | MixtureOf) -> bool:
    """Whether pictures of these data may be committed or published."""
    return all(one.facts.may_be_shown for one in sets_of(data).values())
