"""From a recipe's data to what networks see: opened parts at the recipe's size, varied in training, whole in tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import torch

from taskweave.data import LabelledSet, Mixture, Reduced, Sample, Transformed, split_by_scene
from taskweave.data.dataset import ChangedSet
from taskweave.data.own import labelled
from taskweave.experiments.data import FileProposals, GridProposals, MixtureOf, Regions, Source
from taskweave.progress import Progress

Look = Literal["proposals", "true boxes"]
"""Which regions a network looks at in a test, where it looks at regions: all proposals, or the true objects."""

_SMALL = 600_000_000
"""Bytes of pictures and labels up to which a part is kept in memory; beyond, files are read again each epoch."""


@final
@dataclass(frozen=True)
class Parts:
    """Raw samples at the recipe's size. validation is None where no share of train is cut off and the data have none."""

    train: LabelledSet
    validation: LabelledSet | None
    test: LabelledSet


def open_parts(data: Source, tasks: Sequence[str], progress: Progress) -> Parts:
    """Train, validation and test part, reading the labels of `tasks`; what fits is read (or rendered) into memory now.

    Raises:
        FileNotFoundError: A folder or file is not there.
        ValueError: A part is empty.
    """
    train, test = (prepared(data, part, tasks, progress) for part in ("train", "test"))
    if data.validation_share == 0.0:
        own = prepared(data, "validation", tasks, progress) if data.facts.own_validation else None
        return Parts(train, own, test)
    rest, validation = split_by_scene(train, data.validation_share, seed=0)
    return Parts(rest, validation, test)


def prepared(data: Source, part: str, tasks: Sequence[str], progress: Progress) -> LabelledSet:
    """One part at the recipe's size, with its proposals, and in memory where it fits."""
    opened = labelled(data.dataset(part), data.facts).only(data.labelled_for(tasks))
    if data.regions is not None and isinstance(data.regions.proposals, FileProposals):
        opened = _with_proposals(opened, data.regions)  # they are in pixels of the files
    if data.keep_aspect:
        opened = Fitted(opened, data)
    reduced = Reduced(opened, size=None if data.keep_aspect else data.size, in_memory=_is_small(opened, data))
    if reduced.in_memory:
        _read_all(reduced, progress)
    if data.regions is not None and isinstance(data.regions.proposals, GridProposals):
        return _with_proposals(reduced, data.regions)
    return reduced


@final
class Fitted(ChangedSet):
    """The samples of a data set, as large as they fit into the recipe's size, the rest padded."""

    def __init__(self, dataset: LabelledSet, data: Source) -> None:
        from taskweave.data import Fit

        super().__init__(dataset)
        self._fit = Fit(data.image_statistics, size=data.picture_size)

    def __getitem__(self, index: int) -> Sample:
        fitted: Mapping[str, object] = self._fit(dict(self.dataset[index]))
        return dict(fitted)


def _with_proposals(dataset: LabelledSet, regions: Regions) -> LabelledSet:
    from taskweave.data import WithProposals, read_proposals

    if isinstance(regions.proposals, FileProposals):
        return WithProposals(dataset, read_proposals(regions.proposals.path))
    return WithProposals(dataset, _Grid(regions.proposals))


@final
class _Grid:
    """The grid of a size, made once for each: images of a part mostly have one."""

    def __init__(self, grid: GridProposals) -> None:
        self.grid = grid
        self._known: dict[tuple[int, int], torch.Tensor] = {}

    def __call__(self, size: tuple[int, int]) -> torch.Tensor:
        if size not in self._known:
            self._known[size] = grid_of(self.grid, size)
        return self._known[size]


def grid_of(grid: GridProposals, size: tuple[int, int]) -> torch.Tensor:
    """The boxes of an image of a size, (N, 4)."""
    from taskweave.data import grid_proposals

    boxes: torch.Tensor = grid_proposals(size, scales=grid.scales, ratios=grid.ratios, overlap=grid.overlap)
    return boxes


def grid_for(regions: Regions, size: tuple[int, int]) -> torch.Tensor:
    """The grid proposals of an image that is none of the data's. Raises ValueError where regions are from a file."""
    if isinstance(regions.proposals, FileProposals):
        raise ValueError(f"proposals of {regions.proposals.path} are of the images in it only; a grid is for any image")
    return grid_of(regions.proposals, size)


def _read_all(part: Reduced, progress: Progress) -> None:
    progress.begin("reading pictures", len(part))
    for index in range(len(part)):
        part[index]
        progress.advance(1)
    progress.end()


def _is_small(part: LabelledSet, data: Source) -> bool:
    height, width = data.picture_size
    image = 12 if data.keep_aspect else 3  # padded images are float32, others uint8
    dense = {"segmentation": 8, "depth": 4, "normals": 12}  # int64 labels, float32 depth and normals
    labels = sum(bytes_each for label, bytes_each in dense.items() if label in part.labels)
    return height * width * (image + labels) * len(part) < _SMALL


def for_training(part: LabelledSet, data: Source, *, seed: int) -> Transformed:
    """`part` as a network is trained on it."""
    from taskweave.data import SampleRois, ToInput

    statistics = data.image_statistics
    steps: list[Callable[[Any], Any]] = [transform(statistics) for transform in data.augment]
    steps.append(ToInput(statistics))
    if (r := data.regions) is not None:
        drawn = SampleRois(
            r.count,
            foreground=r.foreground,
            iou=r.iou,
            background=r.background,
            with_ground_truth=r.with_ground_truth,
        )
        steps.append(drawn)
    return Transformed(part, _composed(steps), seed=seed)


def for_testing(part: LabelledSet, data: Source, look: Look = "proposals") -> Transformed:
    """`part` as a network is measured on it: whole pictures, nothing varied."""
    from taskweave.data import AllRois, TargetRois, ToInput

    steps: list[Callable[[Any], Any]] = [ToInput(data.image_statistics)]
    if data.regions is not None:
        steps.append(TargetRois() if look == "true boxes" else AllRois())
    return Transformed(part, _composed(steps), seed=0)


def mixture_of(
    parts: Mapping[str, LabelledSet], sets: Mapping[str, Source], data: MixtureOf, tasks: Sequence[str], *, seed: int
) -> Mixture:
    """The train parts of several data sets as one to train on: those labels of each that `tasks` need."""
    return Mixture(
        {name: for_training(parts[name], one, seed=seed) for name, one in sets.items()},
        data.mixture(),
        use={name: one.labelled_for(tasks) for name, one in sets.items()},
        mixed=data.mixed_batches,
    )


def _composed(steps: Sequence[Callable[[Any], Any]]) -> Callable[[dict[str, object]], Sample]:
    """One step as it is: `ToInput` alone is done batch by batch."""
    from torchvision.transforms import v2

    return steps[0] if len(steps) == 1 else v2.Compose(steps)
