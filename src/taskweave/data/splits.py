"""Parts of data sets: a validation part cut by scene, and parts of releases without a split, drawn by a seed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import final

import torch

from taskweave.data.dataset import DerivedSet, LabelledSet
from taskweave.data.sample import Batch, Sample


def drawn(names: Iterable[str], *, seed: int) -> list[str]:
    """`names` in the order of a hash of (seed, name): whether one comes early hardly depends on which others are there."""
    return sorted(names, key=lambda name: hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest())


def held_out(groups: Sequence[str], share: float, *, seed: int) -> frozenset[str]:
    """Return the groups whose samples form the test part: the first round(share * n) of the n groups in random order.

    A group (a person's name, say) is never split between parts. At least one group is held out and at least one is left.

    Args:
        groups: The group of each sample.
        share: Share of the groups that is held out, between 0 and 1.

    Raises:
        ValueError: `share` is not between 0 and 1, or there are fewer than two groups.
    """
    if not 0 < share < 1:
        raise ValueError(f"test_share is the test part of the groups, between 0 and 1, got {share}")
    different = drawn(set(groups), seed=seed)
    if len(different) < 2:
        raise ValueError(f"all {len(groups)} samples are of {len(different)} group: none can be held out; open split='all'")
    return frozenset(different[: min(max(1, round(share * len(different))), len(different) - 1)])


@final
class Subset(DerivedSet):
    """Some samples of `dataset`, in the order of `indices`."""

    def __init__(self, dataset: LabelledSet, indices: Sequence[int]) -> None:
        outside = [index for index in indices if not 0 <= index < len(dataset)]
        if outside or not indices:
            raise ValueError(f"a part needs indices in 0..{len(dataset) - 1}, got {outside[:5] or 'none'}")
        super().__init__(dataset)
        self.indices = tuple(indices)

    def only(self, labels: Sequence[str]) -> Subset:
        return Subset(self.dataset.only(labels), self.indices)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Sample:
        return self.dataset[self.indices[index]]

    def batch_of(self, indices: Sequence[int], *, size: tuple[int, int] | None = None) -> Batch | None:
        return self.dataset.batch_of([self.indices[index] for index in indices], size=size)

    @property
    def blocks(self) -> tuple[Sequence[int], ...]:
        number_of = {index: number for number, block in enumerate(self.dataset.blocks) for index in block}
        members: dict[int, list[int]] = {}
        for position, index in enumerate(self.indices if number_of else ()):
            members.setdefault(number_of[index], []).append(position)
        return tuple(members.values())

    def key(self, index: int) -> str:
        return self.dataset.key(self.indices[index])

    def scene(self, index: int) -> str:
        return self.dataset.scene(self.indices[index])


def split_by_scene(dataset: LabelledSet, share: float, *, seed: int) -> tuple[Subset, Subset]:
    """(training, validation): whole scenes, drawn by `seed`, until about `share` of the samples are in validation.

    Pictures of one room are nearly copies of each other; split at random they would make validation blind to overfitting.
    Both parts hold at least one scene and keep the order of `dataset`.
    """
    if not 0 < share < 1:
        raise ValueError(f"share is the validation part of the samples, between 0 and 1, got {share}")
    members: dict[str, list[int]] = {}
    for index in range(len(dataset)):
        members.setdefault(dataset.scene(index), []).append(index)
    if len(members) < 2:
        raise ValueError(
            f"all {len(dataset)} samples show {len(members)} scene, so none can be held out whole: "
            f"give more scenes, or train without a validation part"
        )
    scenes = list(members)
    order = torch.randperm(len(scenes), generator=torch.Generator().manual_seed(seed)).tolist()
    held = set(members[scenes[order[0]]])
    for position in order[1:-1]:  # the last scene always trains
        scene = members[scenes[position]]
        if len(held) + len(scene) / 2 <= share * len(dataset):
            held.update(scene)
    train = [index for index in range(len(dataset)) if index not in held]
    return Subset(dataset, train), Subset(dataset, sorted(held))
