"""From a choice of data to its train, validation and test parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from taskweave.data.dataset import LabelledSet
from taskweave.data.reduced import Reduced
from taskweave.data.splits import split_by_scene
from taskweave.data.transformed import Transformed
from taskweave.evaluation.building.networks import statistics_of
from taskweave.evaluation.choices.data import (
    NYUDMT,
    Data,
    DataChoice,
    NYUv2Folder,
    NYUv2Lists,
    NYUv2Mat,
    NYUv2Mtan,
    ScenesData,
)
from taskweave.training.progress import Progress

if TYPE_CHECKING:
    from torchvision.transforms import v2

_TEST_SEED = 100_003
"""Added to a scenes seed for the test part: far from any seed that somebody would train on."""

_SMALL = 600_000_000
"""Bytes of pictures and labels up to which a part is kept in memory; beyond, files are read again each epoch."""


@final
@dataclass(frozen=True)
class Parts:
    """Raw samples at the recipe's size. validation is None where no share of train is cut off."""

    train: LabelledSet
    validation: LabelledSet | None
    test: LabelledSet


def open_parts(data: Data, labels: Sequence[str], progress: Progress) -> Parts:
    """Train, validation and test part, reading only `labels`; what fits is read (or rendered) into memory now.

    Raises FileNotFoundError for a folder or file that is not there, ValueError for an empty part.
    """
    train, test = (_reduced(_open(data, part, labels), data) for part in ("train", "test"))
    if train.in_memory:
        _read_all((train, test), progress)
    if data.validation_share == 0.0:
        return Parts(train, None, test)
    rest, validation = split_by_scene(train, data.validation_share, seed=0)
    return Parts(rest, validation, test)


def class_names_of(data: Data) -> tuple[str, ...]:
    """The segmentation classes, without opening any file."""
    if isinstance(data, ScenesData):
        from taskweave.data.scenes_looks import CLASSES

        return tuple(CLASSES)
    from taskweave.data.nyuv2_classes import class_names

    return class_names(data.classes)


def for_training(part: LabelledSet, data: DataChoice, *, seed: int) -> Transformed:
    """`part` as a network is trained on it."""
    return Transformed(part, _training_transform(data), seed=seed)


def for_testing(part: LabelledSet, data: DataChoice) -> Transformed:
    """`part` as a network is measured on it: whole pictures, nothing varied."""
    from taskweave.data.transforms import ToInput

    return Transformed(part, ToInput(statistics_of(data)), seed=0)


def _open(data: Data, part: str, labels: Sequence[str]) -> LabelledSet:
    if isinstance(data, ScenesData):
        return _open_scenes(data, part, labels)
    match data:
        case NYUv2Folder():
            from taskweave.data.nyuv2_folder import open_nyuv2_folder

            split = "val" if part == "test" else part
            return open_nyuv2_folder(data.path, split=split, classes=data.classes, labels=labels)
        case NYUv2Mtan():
            from taskweave.data.nyuv2_mtan import open_nyuv2_mtan

            split = "val" if part == "test" else part
            return open_nyuv2_mtan(data.path, split=split, classes=data.classes, labels=labels)
        case NYUv2Lists():
            from taskweave.data.nyuv2_lists import open_nyuv2_lists

            split = "training" if part == "train" else "testing"
            return open_nyuv2_lists(data.path, split=split, classes=data.classes, labels=labels)
        case NYUDMT():
            from taskweave.data.nyud_mt import open_nyud_mt

            split = "val" if part == "test" else part
            return open_nyud_mt(data.path, split=split, classes=data.classes, labels=labels)
        case NYUv2Mat():
            from taskweave.data.nyuv2_mat import open_nyuv2_mat

            return open_nyuv2_mat(
                data.path, splits=data.splits, split=part, class_map=data.class_map, classes=data.classes, labels=labels
            )


def _open_scenes(data: ScenesData, part: str, labels: Sequence[str]) -> LabelledSet:
    from taskweave.data.scenes import LABELS, Scenes

    wanted = [label for label in LABELS if label in labels]
    if part == "test":
        return Scenes(data.test, size=data.size, seed=data.seed + _TEST_SEED, labels=wanted)
    return Scenes(data.train, size=data.size, seed=data.seed, labels=wanted)


def _read_all(parts: Sequence[Reduced], progress: Progress) -> None:
    progress.begin("reading pictures", sum(len(part) for part in parts))
    for part in parts:
        for index in range(len(part)):
            part[index]
            progress.advance(1)
    progress.end()


def _reduced(part: LabelledSet, data: DataChoice) -> Reduced:
    height, width = data.picture_size
    per_sample = height * width * (3 + 8 + 4 + 12)  # uint8 image, int64 labels, float32 depth and normals
    return Reduced(part, size=data.size, in_memory=per_sample * len(part) < _SMALL)


def _training_transform(data: DataChoice) -> v2.Transform:
    from torchvision.transforms import v2

    from taskweave.data.transforms import RandomCropPad, RandomDiscreteScale, RandomScale, ToInput

    how, statistics = data.augmentation, statistics_of(data)
    steps: list[v2.Transform] = []
    if how.colour:
        steps.append(v2.ColorJitter(brightness=how.colour, contrast=how.colour, saturation=how.colour))
    if how.scale is not None:
        steps.append(RandomScale(*how.scale))
    if how.zoom_crops:
        steps.append(RandomDiscreteScale(how.zoom_crops))
    if how.crop is not None:
        steps.append(RandomCropPad(how.crop, statistics=statistics))
    if how.mirror:
        steps.append(v2.RandomHorizontalFlip())
    return v2.Compose([*steps, ToInput(statistics)])
