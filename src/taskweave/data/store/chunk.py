"""A chunk of samples as litdata lays them out: how many, where each begins, the samples."""

from __future__ import annotations

from pathlib import Path
from typing import Final, final

import numpy as np
import numpy.typing as npt
import torch

from taskweave.data.store.manifest import ChunkFacts, DamagedStoreError

Bytes = npt.NDArray[np.uint8]
_NUMBER: Final = np.dtype("<u4")
_SIZE = 4
"""Bytes before each record: litdata writes the length of every value of a sample, of which ours have one."""


@final
class Chunk:
    """A mapped file: nothing is read before it is used, and pages are shared by all processes.

    data: (bytes,) uint8.  starts: where each sample begins, and where the last one ends.
    """

    def __init__(self, data: Bytes, starts: npt.NDArray[np.uint32]) -> None:
        self.data = data
        self.starts = starts

    def __len__(self) -> int:
        return len(self.starts) - 1

    def record(self, at: int) -> Bytes:
        """The bytes of sample `at`, not copied: nothing may be written to them."""
        return self.data[int(self.starts[at]) + _SIZE : int(self.starts[at + 1])]


def map_chunk(path: Path, facts: ChunkFacts) -> Chunk:
    """The chunk in `path`. Raises DamagedStoreError where the file is not laid out as a chunk of so many samples."""
    # torch's mapping keeps no file open, of which a process may have a thousand or so
    data: Bytes = torch.from_file(str(path), shared=False, size=facts.bytes, dtype=torch.uint8).numpy()
    head = _NUMBER.itemsize * (facts.items + 2)
    numbers = np.frombuffer(data[:head], _NUMBER) if facts.bytes >= head else np.zeros(1, _NUMBER)
    starts = numbers[1:].astype(np.uint32)
    ordered = len(starts) == facts.items + 1 and (np.diff(starts.astype(np.int64)) > _SIZE).all()
    if not ordered or numbers[0] != facts.items or starts[0] != head or starts[-1] != facts.bytes:
        raise DamagedStoreError(
            f"{path} is not laid out as a chunk of {facts.items} samples in {facts.bytes:,} bytes (it says {numbers[0]}): "
            "it was written by another version of litdata; pack the data again"
        )
    return Chunk(data, starts)
