"""Scenes: a generated data set of rooms, with exact labels for every pixel, that needs no download."""

from __future__ import annotations

import os
import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, final

import numpy as np
import torch
from annotated_types import Ge
from numpy.typing import NDArray
from torch import Tensor
from torchvision import tv_tensors

from taskweave.data.boxes import bounding_boxes
from taskweave.data.dataset import NamedSet, require_labels
from taskweave.data.facts import ATTRIBUTES, DENSE, DETECTION, SetFacts
from taskweave.data.generated.furnishing import FOCAL, draw_room
from taskweave.data.generated.looks import ATTRIBUTE_VALUES, CLASSES, DOOR, OBJECT_CLASSES, Thing
from taskweave.data.generated.rendering import Rendering, render
from taskweave.data.normals import Intrinsics
from taskweave.data.readers.arrays import cache_folder
from taskweave.data.sample import Sample
from taskweave.data.tensors import Depth, Normals
from taskweave.parts import states

_STORED = ("image", "labels", "instances", "depth", "normals")


@final
class RecordFile:
    """Renderings one after the other in a file, which may have gaps.

    A record counts only with the checksum of its bytes and its number, so what is torn or damaged reads as "not there" and
    is written again. Several processes may fill one file at once: they write the same bytes.
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
        return Rendering(**{name: record[name][0] for name in _STORED})

    def write(self, index: int, rendering: Rendering) -> None:
        """Write record `index` at its position in the file.

        Raises:
            OSError: The disk does not accept the data.
        """
        record = np.zeros(1, self._type)
        for name in _STORED:
            record[name] = getattr(rendering, name)
        data = bytearray(record.tobytes())
        data[-4:] = _checksum(data, index).to_bytes(4, "little")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Neither "w" nor "a" will do: the one empties what another process wrote, the other cannot seek.
        with os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+b") as file:
            file.seek(index * len(data))
            file.write(data)


def _checksum(data: bytearray, index: int) -> int:
    return zlib.crc32(memoryview(data)[:-4], index & 0xFFFFFFFF)


GENERATOR_VERSION = 1
"""Part of the name of the cache file: raised whenever any picture changes. A test pins the first pictures."""

LABELS = (*DENSE, DETECTION, ATTRIBUTES)
_TEST_SEED = 100_003
"""Added to the seed for the test part: far from any seed that somebody would train on."""

NAMED = tuple(f"{name} {value}" for name, values in ATTRIBUTE_VALUES.items() for value in values)
"""The attributes, one for every value of each kind."""
_SMALLEST_SHARE = 1.0 / 1024.0


Count = Annotated[int, Ge(1)]
Side = Annotated[int, Ge(16)]


_FACTS = SetFacts("generated scenes", LABELS, CLASSES, OBJECT_CLASSES, NAMED, may_be_shown=True)


def _facts(options: Mapping[str, Any]) -> SetFacts:
    return _FACTS._replace(size=options["size"], made_by={"image": GENERATOR_VERSION})


@states(facts=_facts)
def scenes(
    part: str,
    *,
    train: Count = 256,
    test: Count = 64,
    size: tuple[Side, Side] = (96, 128),
    seed: Annotated[int, Ge(0)] = 0,
) -> Scenes:
    """Generated rooms: no download, all labels exact. Rendered once into a cache.

    Args:
        part: "train" or "test", which is of other scenes.
        train: How many pictures to train on.
        test: How many pictures to test on.
        size: (height, width) of the pictures.
        seed: Draws the scenes.
    """
    if part not in ("train", "test"):
        raise ValueError(f"generated scenes have no part {part!r}: expected 'train' or 'test'")
    if part == "test":
        return Scenes(test, size=size, seed=seed + _TEST_SEED, labels=LABELS)
    return Scenes(train, size=size, seed=seed, labels=LABELS)


@final
class Scenes(NamedSet):
    """Rooms with tables, boxes, balls, cylinders, doors, pictures and rugs, textured, lit and with shadows.

    Colours and textures are drawn alike for every class, so that class and depth have to be read from shape and place.
    Picture i of a seed is the same on every machine, to the bit, and does not depend on `count`. Every picture is a room of
    its own.

    Targets, each exact at the pixel centres:

    - ``segmentation``: Mask int64 (H, W), ids of `classes`; every pixel has one.
    - ``depth``: Depth float32 (1, H, W), metres along the optical axis, about 0.5 to 9.
    - ``normals``: Normals float32 (3, H, W), unit vectors.
    - ``detection``: {"boxes": BoundingBoxes XYXY float32 (n, 4), "labels": int64 (n,), "ignore": bool (n,), all False} of
      the objects of which at least 1/1024 of the picture can be seen, around what can be seen of them; label k is
      ``objects[k - 1]``.
    - ``attributes``: the same boxes and labels, and "values": float32 (n, A) of 0 and 1, named by `attributes`: every value
      of every entry of ATTRIBUTE_VALUES, of which one each is 1.

    Rendered once, when first asked for (about 15 ms at 128 x 128), into `cache_folder()`: 21 bytes per pixel. `prepare`
    renders all at once. What is missing or damaged there is rendered again.
    """

    def __init__(
        self,
        count: int,
        *,
        size: tuple[int, int] = (128, 128),
        seed: int = 0,
        labels: Sequence[str] = DENSE,
    ) -> None:
        if count < 1:
            raise ValueError(f"Scenes of {count} pictures is empty: count must be at least 1")
        if min(size) < 16:
            raise ValueError(f"size {size} is too small to show a room: height and width must be at least 16")
        if seed < 0:
            raise ValueError(f"seed {seed} is negative: take 0 or more")
        self._count = count
        self._size = (int(size[0]), int(size[1]))
        self._seed = seed
        super().__init__(require_labels(labels, LABELS, "Scenes"), _FACTS)

    def only(self, labels: Sequence[str]) -> Scenes:
        return Scenes(self._count, size=self._size, seed=self._seed, labels=require_labels(labels, self._labels, "Scenes"))

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Sample:
        rendering = self._rendering(self._checked(index))
        sample: dict[str, Any] = {"image": tv_tensors.Image(torch.from_numpy(rendering.image)), "key": self.key(index)}
        for label in self._labels:
            sample[label] = self._target(label, rendering, index)
        return sample

    @property
    def intrinsics(self) -> Intrinsics:
        """The camera, the same for every picture; the optical axis meets the middle of the picture."""
        height, width = self._size
        focal = FOCAL * max(self._size)
        return Intrinsics(fx=focal, fy=focal, cx=0.5 * width - 0.5, cy=0.5 * height - 0.5)

    def key(self, index: int) -> str:
        return f"scenes-{self._seed}-{self._checked(index):06d}"

    def scene(self, index: int) -> str:
        return self.key(index)

    def things(self, index: int) -> tuple[Thing, ...]:
        """All objects of room `index`, whether they can be seen or not."""
        return draw_room(self._seed, self._checked(index))[1]

    def prepare(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Render the pictures that are not in the cache yet.

        Args:
            progress: Called with (done, total) after every picture.
        """
        for index in range(self._count):
            self._rendering(index)
            if progress is not None:
                progress(index + 1, self._count)

    def _checked(self, index: int) -> int:
        if not 0 <= index < self._count:
            raise IndexError(f"picture {index} of {self._count}: indices run from 0 to {self._count - 1}")
        return index

    def _rendering(self, index: int) -> Rendering:
        height, width = self._size
        name = f"v{GENERATOR_VERSION}-seed{self._seed}-{height}x{width}.records"
        file = RecordFile(cache_folder() / "scenes" / name, self._size)
        found = file.read(index)
        if found is not None:
            return found
        rendering = render(draw_room(self._seed, index)[0], self._size)
        try:
            file.write(index, rendering)
        except OSError as error:
            warnings.warn(
                f"pictures are rendered anew every time, because {file.path} cannot be written ({error}): "
                "set TASKWEAVE_CACHE to a folder with space",
                stacklevel=2,
            )
        return rendering

    def _target(self, label: str, rendering: Rendering, index: int) -> Any:
        match label:
            case "segmentation":
                return tv_tensors.Mask(torch.from_numpy(rendering.labels).long())
            case "depth":
                return Depth(torch.from_numpy(rendering.depth)[None])
            case "normals":
                return Normals(torch.from_numpy(rendering.normals))
        found = self._visible(rendering, index)
        target = {
            "boxes": bounding_boxes([box for _, box in found], self._size),
            "labels": torch.tensor([thing.label - DOOR + 1 for thing, _ in found], dtype=torch.int64),
        }
        if label == "attributes":
            return {**target, "values": _values([thing for thing, _ in found])}
        return {**target, "ignore": torch.zeros(len(found), dtype=torch.bool)}

    def _visible(self, rendering: Rendering, index: int) -> list[tuple[Thing, tuple[int, int, int, int]]]:
        """Objects that can be seen, each with the box (left, top, right, bottom) around its pixels."""
        masks = ((thing, rendering.instances == thing.number) for thing in self.things(index))
        enough = _SMALLEST_SHARE * self._size[0] * self._size[1]
        return [(thing, _box(mask)) for thing, mask in masks if mask.sum() >= enough]


def _values(things: Sequence[Thing]) -> Tensor:
    """(n, A) float32: 1 for the value that each of ATTRIBUTE_VALUES has."""
    counts = [len(values) for values in ATTRIBUTE_VALUES.values()]
    rows = torch.zeros(len(things), sum(counts))
    firsts = [sum(counts[:place]) for place in range(len(counts))]
    for row, thing in zip(rows, things, strict=True):
        row[[first + value for first, value in zip(firsts, thing.attributes, strict=True)]] = 1
    return rows


def _box(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
