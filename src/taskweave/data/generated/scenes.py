"""Scenes: a generated data set of rooms, with exact labels for every pixel, that needs no download."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, final

import numpy as np
import torch
from annotated_types import Ge
from numpy.typing import NDArray
from torch import Tensor
from torchvision import tv_tensors

from taskweave.data.boxes import bounding_boxes
from taskweave.data.dataset import LabelledSet, require_labels
from taskweave.data.facts import ATTRIBUTES, DENSE, DETECTION, SetFacts
from taskweave.data.generated.cache import RecordFile
from taskweave.data.generated.furnishing import FOCAL, draw_room
from taskweave.data.generated.looks import ATTRIBUTE_VALUES, CLASSES, DOOR, OBJECT_CLASSES, Thing
from taskweave.data.generated.rendering import Rendering, render
from taskweave.data.normals import Intrinsics
from taskweave.data.readers.cache import cache_folder
from taskweave.data.sample import Sample
from taskweave.data.tensors import Depth, Normals
from taskweave.parts import states

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


def _facts(options: Mapping[str, Any]) -> SetFacts:
    named = SetFacts("generated scenes", LABELS, CLASSES, OBJECT_CLASSES, NAMED, size=options["size"], may_be_shown=True)
    return named._replace(made_by={"image": GENERATOR_VERSION})


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
class Scenes(LabelledSet):
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

    Rendered once, when first asked for (about 15 ms at 128 x 128), into `cache_folder()`, which is outside the repository:
    21 bytes per pixel. `prepare` renders all at once. What is missing or damaged there is rendered again.

    count: how many pictures.  size: (height, width).  labels: which targets samples carry.
    Raises ValueError for a count below 1, a size below 16, a negative seed or an unknown label.
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
        self._labels = require_labels(labels, LABELS, "Scenes")

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
    def labels(self) -> tuple[str, ...]:
        return self._labels

    @property
    def classes(self) -> tuple[str, ...]:
        return CLASSES if "segmentation" in self._labels else ()

    @property
    def objects(self) -> tuple[str, ...]:
        return OBJECT_CLASSES

    @property
    def attributes(self) -> tuple[str, ...]:
        return NAMED if "attributes" in self._labels else ()

    @property
    def intrinsics(self) -> Intrinsics:
        """The camera, the same for every picture; the optical axis meets the middle of the picture."""
        height, width = self._size
        focal = FOCAL * max(self._size)
        return Intrinsics(fx=focal, fy=focal, cx=0.5 * width - 0.5, cy=0.5 * height - 0.5)

    def key(self, index: int) -> str:
        return f"scenes-{self._seed}-{self._checked(index):06d}"

    def scene(self, index: int) -> str:
        """Every picture shows a room of its own."""
        return self.key(index)

    def things(self, index: int) -> tuple[Thing, ...]:
        """All objects of room `index`, whether they can be seen or not."""
        return draw_room(self._seed, self._checked(index))[1]

    def prepare(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Render what is not in the cache yet. progress: called with (done, total) after every picture."""
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
            case "detection":
                target = self._boxes(rendering, index)
                return {**target, "ignore": torch.zeros(len(target["labels"]), dtype=torch.bool)}
            case "attributes":
                target = self._boxes(rendering, index)
                return {**target, "values": _values([thing for thing, _ in self._visible(rendering, index)])}
        raise AssertionError(label)

    def _boxes(self, rendering: Rendering, index: int) -> dict[str, Tensor]:
        found = self._visible(rendering, index)
        return {
            "boxes": bounding_boxes([box for _, box in found], self._size),
            "labels": torch.tensor([thing.label - DOOR + 1 for thing, _ in found], dtype=torch.int64),
        }

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
