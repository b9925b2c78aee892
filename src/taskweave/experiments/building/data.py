"""From a choice of data to its train, validation and test parts, and to what networks see of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import torch

from taskweave.data.dataset import ChangedSet, LabelledSet
from taskweave.data.reduced import Reduced
from taskweave.data.sample import Sample
from taskweave.data.splits import split_by_scene
from taskweave.experiments.building.sets import open_set
from taskweave.experiments.building.views import statistics_of
from taskweave.experiments.choices.data import DataChoice
from taskweave.experiments.choices.mixture import OneSet
from taskweave.experiments.choices.regions import FileProposals, Regions
from taskweave.progress import Progress

_SMALL = 600_000_000
"""Bytes of pictures and labels up to which a part is kept in memory; beyond, files are read again each epoch."""


@final
@dataclass(frozen=True)
class Parts:
    """Raw samples at the recipe's size. validation is None where no share of train is cut off and the data have none."""

    train: LabelledSet
    validation: LabelledSet | None
    test: LabelledSet


def open_parts(data: OneSet, tasks: Sequence[str], progress: Progress) -> Parts:
    """Train, validation and test part, reading the labels of `tasks`; what fits is read (or rendered) into memory now.

    Raises FileNotFoundError for a folder or file that is not there, ValueError for an empty part.
    """
    train, test = (prepared(data, part, tasks, progress) for part in ("train", "test"))
    if data.validation_share == 0.0:
        return Parts(train, prepared(data, "validation", tasks, progress) if data.own_validation else None, test)
    rest, validation = split_by_scene(train, data.validation_share, seed=0)
    return Parts(rest, validation, test)


def prepared(data: OneSet, part: str, tasks: Sequence[str], progress: Progress) -> LabelledSet:
    """One part at the recipe's size, with its proposals, and in memory where it fits."""
    opened = open_set(data, part, data.labelled_for(tasks))
    if data.regions is not None and isinstance(data.regions.proposals, FileProposals):
        opened = _with_proposals(opened, data.regions)  # they are in pixels of the files
    if data.keep_aspect:
        opened = Fitted(opened, data)
    reduced = Reduced(opened, size=None if data.keep_aspect else data.size, in_memory=_is_small(opened, data))
    if reduced.in_memory:
        _read_all(reduced, progress)
    if data.regions is not None and not isinstance(data.regions.proposals, FileProposals):
        return _with_proposals(reduced, data.regions)
    return reduced


@final
class Fitted(ChangedSet):
    """The samples of a data set, as large as they fit into the recipe's size, the rest padded."""

    def __init__(self, dataset: LabelledSet, data: DataChoice) -> None:
        from taskweave.data.transforms.augmentation import Fit

        assert data.size is not None
        super().__init__(dataset)
        self._fit = Fit(statistics_of(data), size=data.size)

    def __getitem__(self, index: int) -> Sample:
        fitted: Mapping[str, object] = self._fit(dict(self.dataset[index]))
        return dict(fitted)


def _with_proposals(dataset: LabelledSet, regions: Regions) -> LabelledSet:
    from taskweave.data.transforms.proposals import WithProposals, read_proposals

    if isinstance(regions.proposals, FileProposals):
        return WithProposals(dataset, read_proposals(regions.proposals.path))
    return WithProposals(dataset, _Grid(regions))


@final
class _Grid:
    """The grid of a size, made once for each: images of a part mostly have one."""

    def __init__(self, regions: Regions) -> None:
        self.regions = regions
        self._known: dict[tuple[int, int], torch.Tensor] = {}

    def __call__(self, size: tuple[int, int]) -> torch.Tensor:
        if size not in self._known:
            self._known[size] = grid_of(self.regions, size)
        return self._known[size]


def grid_of(regions: Regions, size: tuple[int, int]) -> torch.Tensor:
    """The grid proposals of an image's size. Raises ValueError where regions are from a file."""
    from taskweave.data.transforms.proposals import grid_proposals

    grid = regions.proposals
    if isinstance(grid, FileProposals):
        raise ValueError(f"proposals of {grid.path} are known for the images in it only; a grid is for any image")
    boxes: torch.Tensor = grid_proposals(size, scales=grid.scales, ratios=grid.ratios, overlap=grid.overlap)
    return boxes


def _read_all(part: Reduced, progress: Progress) -> None:
    progress.begin("reading pictures", len(part))
    for index in range(len(part)):
        part[index]
        progress.advance(1)
    progress.end()


def _is_small(part: LabelledSet, data: DataChoice) -> bool:
    height, width = data.picture_size
    image = 12 if data.keep_aspect else 3  # padded images are float32, others uint8
    dense = {"segmentation": 8, "depth": 4, "normals": 12}  # int64 labels, float32 depth and normals
    labels = sum(bytes_each for label, bytes_each in dense.items() if label in part.labels)
    return height * width * (image + labels) * len(part) < _SMALL
