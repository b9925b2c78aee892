"""The files of the Caltech Pedestrian data: videos (Norpix .seq) and their annotations (.vbb)."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, final

import numpy as np
import torch
from PIL import Image
from torchvision import tv_tensors

from taskweave.data.readers.arrays import mat_structure

Box = tuple[float, float, float, float]
"""x, y, width, height as stored."""


class Drawn(NamedTuple):
    """One annotated object of one frame.

    Args:
        part: The box of its visible part; None if the file does not state it.
    """

    name: str
    box: Box
    occluded: bool
    part: Box | None


def read_vbb(path: Path) -> list[list[Drawn]]:
    """Read the objects of each frame from a .vbb file.

    The file holds one structure ``A`` with, among others, ``nFrame``, ``objLists`` (one list of objects per frame, each
    with ``id``, ``pos``, ``occl``, ``posv``) and ``objLbl`` (the name of each id, from 1).

    Raises:
        ValueError: Something is missing or is not a box; the message names the file, the frame and the object.
    """
    content = mat_structure(path, "A", ("nFrame", "objLists", "objLbl"))
    lists = content["objLists"].ravel()
    names = [str(_scalar(name)) if name.size else "" for name in content["objLbl"].ravel()]
    announced = int(_scalar(content["nFrame"]))
    if announced != len(lists):
        raise ValueError(f"{path} announces {announced} frames and lists the objects of {len(lists)}: restore the file")
    return [
        [
            _annotated(entry, names, f"{path}, frame {frame} (from 0), object {number}")
            for number, entry in enumerate(objects.ravel(), start=1)
        ]
        for frame, objects in enumerate(lists)
    ]


def _annotated(entry: Any, names: list[str], where: str) -> Drawn:
    missing = [name for name in ("id", "pos", "occl", "posv") if name not in (entry.dtype.names or ())]
    if missing:
        raise ValueError(f"{where} has no {missing[0]!r}: expected id, pos, occl and posv")
    number = int(_scalar(entry["id"]))
    if not 1 <= number <= len(names):
        raise ValueError(f"{where} has id {number}: objLbl names 1..{len(names)}")
    part = np.asarray(entry["posv"], dtype=float).ravel()
    visible = _box(part, "posv", where) if part.any() else None
    return Drawn(names[number - 1], _box(entry["pos"], "pos", where), bool(_scalar(entry["occl"])), visible)


def _box(value: Any, name: str, where: str) -> Box:
    numbers = np.asarray(value, dtype=float).ravel()
    if len(numbers) != 4:
        raise ValueError(f"{where}: {name} is {numbers.tolist()}, expected x, y, width, height")
    x, y, width, height = numbers.tolist()
    return x, y, width, height


def _scalar(value: Any) -> Any:
    """MATLAB has matrices only: the one number or text in them."""
    return np.asarray(value).ravel()[0]


_HEADER = 1024
_JPEG_FORMATS = (102, 201)  # grey, colour
_JPEG_START = b"\xff\xd8"
_TIME = 8  # bytes behind each picture: when it was taken; some files have 8 empty ones more
_SIZES = struct.Struct("<9I")
_SIZES_AT = 548
_LENGTH = struct.Struct("<I")


class Frames(NamedTuple):
    """The positions of the pictures in a .seq file.

    Args:
        size: (height, width) of the pictures.
        offsets: Where each frame begins, including its 4 bytes of length.
    """

    path: Path
    size: tuple[int, int]
    offsets: tuple[int, ...]


def scan_sequence(path: Path) -> Frames:
    """Find the frames of a .seq file of JPEG pictures without decoding any.

    Frames differ in length and the file has no index, so each frame is found from the one before it. This reads 6 bytes
    per frame.

    Raises:
        ValueError: The file ends before the frames that its header announces; the message names the frame and the offset.
    """
    with path.open("rb", buffering=0) as file:
        size, announced = _header(file, path)
        offsets: list[int] = []
        end = file.seek(0, io.SEEK_END)
        offset, gap = _HEADER, _TIME
        while offset < end and (announced == 0 or len(offsets) < announced):
            if len(offsets) == 1 and _read(file, offset, _LENGTH.size) == bytes(_LENGTH.size):
                gap, offset = gap + _TIME, offset + _TIME
            length = _frame_length(file, offset, end=end, where=f"{path}, frame {len(offsets)} (from 0), offset {offset}")
            offsets.append(offset)
            offset += length + gap
    if len(offsets) < announced or not offsets:
        raise ValueError(
            f"{path} ends at offset {end}, before frame {len(offsets)} (from 0); its header announces {announced} frames: "
            f"the file is truncated; copy it again"
        )
    return Frames(path, size, tuple(offsets))


def _header(file: BinaryIO, path: Path) -> tuple[tuple[int, int], int]:
    """(H, W) and the number of frames, 0 where it is not known."""
    head = _read(file, 0, _HEADER)
    if len(head) < _HEADER or head[:4] != b"\xed\xfe\x00\x00" or head[4:24] != "Norpix seq".encode("utf-16-le"):
        raise ValueError(
            f"{path} does not begin with the {_HEADER} bytes of a Norpix sequence (0xFEED, 'Norpix seq'), but with "
            f"{head[:24]!r}; copy it again"
        )
    width, height, _, _, _, coding, frames, _, _ = _SIZES.unpack_from(head, _SIZES_AT)
    if coding not in _JPEG_FORMATS:
        raise ValueError(f"{path} has pictures of format {coding}: expected JPEG, {_JPEG_FORMATS}; convert it")
    return (height, width), frames


def _frame_length(file: BinaryIO, offset: int, *, end: int, where: str) -> int:
    """Bytes of the frame at `offset`, its length's own 4 included."""
    head = _read(file, offset, _LENGTH.size + 2)
    if len(head) < _LENGTH.size + 2:
        raise ValueError(f"{where}: the file ends at {end}, within the frame: it is truncated; copy it again")
    length = int(_LENGTH.unpack_from(head)[0])
    if length <= len(head) or head[_LENGTH.size :] != _JPEG_START:
        raise ValueError(
            f"{where}: expected a length and a JPEG picture (ff d8), found {head.hex(' ')}: the file is damaged; "
            f"copy it again"
        )
    if offset + length > end:
        raise ValueError(
            f"{where}: the frame has {length} bytes and the file ends after {end - offset}: it is truncated; copy it again"
        )
    return length


def _read(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)


@final
@dataclass(frozen=True)
class ReadFrame:
    """Read the picture at `offset` of a .seq file as uint8 (3, H, W) RGB.

    Args:
        frame: Number of the frame, for messages.
    """

    frame: int
    offset: int

    def __call__(self, path: Path) -> tv_tensors.Image:
        with path.open("rb") as file:
            length = int(_LENGTH.unpack(_read(file, self.offset, _LENGTH.size))[0])
            content = file.read(length - _LENGTH.size)
        try:
            with Image.open(io.BytesIO(content)) as picture:
                pixels = np.array(picture.convert("RGB"))
        except OSError as error:
            raise ValueError(
                f"{path}, frame {self.frame} (from 0), offset {self.offset} is not a readable picture ({error}): "
                f"copy the file again"
            ) from error
        return tv_tensors.Image(torch.from_numpy(pixels).permute(2, 0, 1).contiguous())
