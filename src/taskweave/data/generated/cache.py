"""A file of pictures of one size, each with its labels and a checksum: what Scenes has rendered already."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from taskweave.data.generated.rendering import Rendering


@final
class RecordFile:
    """Renderings at fixed places in one file, which may have gaps.

    A record counts only with the checksum of its bytes and its place, so a torn write, a truncated file or a flipped bit
    reads as "not there" and the record is written again. Several processes may fill one file at once: they write the same
    bytes. The constructor does no I/O.
    """

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        self.path = path
        # Floats first: so they are aligned for any size of picture.
        self._type = np.dtype(
            [("normals", "<f4", (3, *size)), ("depth", "<f4", size), ("image", "u1", (3, *size)), ("labels", "u1", size),
             ("instances", "u1", size), ("checksum", "<u4")]
        )  # fmt: skip

    def read(self, index: int) -> Rendering | None:
        """Record `index`, in writable arrays; None where there is none, or a broken one."""
        data = bytearray(self._type.itemsize)
        try:
            with self.path.open("rb") as file:
                file.seek(index * len(data))
                whole = file.readinto(data) == len(data)
        except OSError:
            return None
        if not whole or _checksum(data, index) != int.from_bytes(data[-4:], "little"):
            return None
        record: NDArray[Any] = np.frombuffer(data, self._type)
        return Rendering(
            image=record["image"][0],
            labels=record["labels"][0],
            instances=record["instances"][0],
            depth=record["depth"][0],
            normals=record["normals"][0],
        )

    def write(self, index: int, rendering: Rendering) -> None:
        """Put record `index` in its place. Raises OSError where the disk does not take it."""
        record = np.zeros(1, self._type)
        record["image"], record["labels"] = rendering.image, rendering.labels
        record["instances"] = rendering.instances
        record["depth"], record["normals"] = rendering.depth, rendering.normals
        data = bytearray(record.tobytes())
        data[-4:] = _checksum(data, index).to_bytes(4, "little")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Neither "w" nor "a" will do: the one empties what another process wrote, the other cannot seek.
        with os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+b") as file:
            file.seek(index * len(data))
            file.write(data)


def _checksum(data: bytearray, index: int) -> int:
    return zlib.crc32(memoryview(data)[:-4], index & 0xFFFFFFFF)
