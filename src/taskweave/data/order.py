"""In which order samples are read: a function of the seed and the epoch, so that any step of a run can be found again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, final

import torch
from torch.utils.data import Sampler


class Order(Protocol):
    """In which order an epoch reads `count` samples."""

    count: int

    def epoch(self, number: int) -> list[tuple[int, int]]: ...


@final
class EpochOrder:
    """A permutation of `count` samples per epoch, each paired with the epoch as its draw (see `Transformed`)."""

    def __init__(self, count: int, seed: int, *, shuffle: bool = True) -> None:
        if count < 1:
            raise ValueError(f"an order needs at least one sample, got count={count}: the data set is empty")
        self.count = count
        self.seed = seed
        self.shuffle = shuffle

    def epoch(self, number: int) -> list[tuple[int, int]]:
        """[(index, draw)] of epoch `number`, counted from 0; every index occurs once."""
        if not self.shuffle:
            return [(index, number) for index in range(self.count)]
        # one generator per epoch: a run resumed in epoch 1000 does not shuffle 1000 times first
        generator = torch.Generator().manual_seed((self.seed * 1_000_003 + number) % 2**63)
        return [(index, number) for index in torch.randperm(self.count, generator=generator).tolist()]


@final
class BlockOrder:
    """Samples in shuffled `blocks`, each block shuffled in itself.

    For data that are read a block at a time (`LabelledSet.blocks`): neighbours in a file come close to each other in an
    epoch, so files must not be sorted by class. Together the blocks have every index 0..count - 1 once.
    """

    def __init__(self, blocks: Sequence[Sequence[int]], seed: int) -> None:
        self.blocks = tuple(blocks)
        self.count = sum(map(len, self.blocks))
        self.seed = seed
        if not self.count or {index for block in self.blocks for index in block} != set(range(self.count)):
            raise ValueError(
                f"an order of blocks needs every index from 0 once, at least one; got {len(self.blocks)} blocks of "
                f"{self.count} indices"
            )

    def epoch(self, number: int) -> list[tuple[int, int]]:
        """[(index, draw)] of epoch `number`, counted from 0; every index occurs once."""
        generator = torch.Generator().manual_seed((self.seed * 1_000_003 + number) % 2**63)
        order: list[tuple[int, int]] = []
        for place in torch.randperm(len(self.blocks), generator=generator).tolist():
            block = self.blocks[place]
            order += [(block[i], number) for i in torch.randperm(len(block), generator=generator).tolist()]
        return order


def order_of(count: int, blocks: Sequence[Sequence[int]], seed: int) -> Order:
    """How `count` samples are drawn in training: in their blocks where they have any, else all as one."""
    return BlockOrder(blocks, seed) if blocks else EpochOrder(count, seed)


@final
class BatchOrder(Sampler[list[tuple[int, int]]]):
    """The batches of steps `first`..`last` - 1, for a DataLoader's ``batch_sampler``.

    Epochs follow each other without a gap, so every batch is full and step s always reads the same samples.
    """

    def __init__(self, order: Order, batch_size: int, *, first: int, last: int) -> None:
        if batch_size < 1 or not 0 <= first <= last:
            raise ValueError(f"need batch_size >= 1 and 0 <= first <= last, got {batch_size}, first={first}, last={last}")
        self.order = order
        self.batch_size = batch_size
        self.first = first
        self.last = last

    def __len__(self) -> int:
        return self.last - self.first

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        epoch, start = divmod(self.first * self.batch_size, self.order.count)
        waiting = self.order.epoch(epoch)[start:]
        for _ in range(len(self)):
            while len(waiting) < self.batch_size:
                epoch += 1
                waiting += self.order.epoch(epoch)
            yield waiting[: self.batch_size]
            waiting = waiting[self.batch_size :]
