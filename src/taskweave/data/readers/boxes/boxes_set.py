"""Images with boxes: one list of pictures, each with its objects, read from annotations beforehand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, final

import numpy as np
import numpy.typing as npt
import torch
from annotated_types import Len
from PIL import Image

from taskweave.data.boxes import bounding_boxes
from taskweave.data.dataset import LabelledSet, require_labels
from taskweave.data.facts import ATTRIBUTES, DETECTION
from taskweave.data.readers.fileset import Field
from taskweave.data.sample import Sample

Classes = Annotated[tuple[str, ...], Len(1)] | None


def need_classes(options: Mapping[str, Any]) -> None:
    """The rule of data sets whose classes only their files name: a recipe says them, since no file is opened by then."""
    if options["classes"] is None:
        raise ValueError(f"the classes of {options['path']} are in its files: name them, e.g. classes: [person]")


def part_of(part: str, parts: Mapping[str, Path]) -> Path:
    """What lies under the name of a part; ValueError for another name."""
    if part not in parts:
        raise ValueError(f"there is no part {part!r}: expected one of {list(parts)}")
    return parts[part]


def size_of_picture(path: Path) -> tuple[int, int]:
    """(H, W) from an image file's head, without decoding it."""
    try:
        with Image.open(path) as file:
            return file.height, file.width
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ValueError(f"{path} is not a readable picture ({error}): write it again") from error


def label_of(name: str, known: Sequence[str], where: str) -> int:
    """The place of class `name` in `known`, from 1; ValueError names the place and what is known."""
    if name not in known:
        raise ValueError(f"{where}: unknown class {name!r}; expected one of {list(known)}")
    return known.index(name) + 1


def chosen_classes(wanted: Sequence[str] | None, available: Sequence[str], layout: str) -> tuple[str, ...]:
    """`wanted` without repetition, all where it is None; ValueError where one is not in this layout."""
    chosen = tuple(available) if wanted is None else tuple(dict.fromkeys(wanted))
    if unknown := [name for name in chosen if name not in available]:
        raise ValueError(f"{layout} has no class {unknown[0]!r}; it has {list(available)}")
    if not chosen:
        raise ValueError(f"no class is chosen: give some of {list(available)}")
    return chosen


PERSON = "person"


@final
@dataclass
class Found:
    """The objects of one picture as a reader finds them.

    ``add`` takes x1, y1, x2, y2 in pixels, the label from 1, and what may be said more; visible: the share of the object
    that can be seen, which ``packed(visible=True)`` keeps.
    """

    boxes: list[Sequence[float]] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    ignore: list[bool] = field(default_factory=list)
    values: list[Sequence[float]] = field(default_factory=list)
    visible: list[float] = field(default_factory=list)

    def add(
        self,
        box: Sequence[float],
        label: int,
        *,
        ignore: bool = False,
        values: Sequence[float] = (),
        visible: float = 1.0,
    ) -> None:
        self.boxes.append(box)
        self.labels.append(label)
        self.ignore.append(ignore)
        self.values.append(values)
        self.visible.append(visible)

    def packed(self, attributes: int = 0, *, visible: bool = False) -> Objects:
        return Objects(
            boxes=np.array(self.boxes, dtype=np.float32).reshape(-1, 4),
            labels=np.array(self.labels, dtype=np.int64),
            ignore=np.array(self.ignore, dtype=np.bool_),
            values=np.array(self.values, dtype=np.float32).reshape(len(self.labels), attributes),
            visible=np.array(self.visible, dtype=np.float32) if visible else None,
        )


@final
@dataclass(frozen=True, eq=False)
class Objects:
    """n objects in arrays, which a data set of a million objects can hold and hand to worker processes.

    boxes: (n, 4) float32 x1, y1, x2, y2.  labels: (n,) int64 from 1.  ignore: (n,) bool.
    values: (n, A) float32 of 0, 1, NaN.  visible: (n,) float32 in 0..1, None where the data set does not say.
    """

    boxes: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    ignore: npt.NDArray[np.bool_]
    values: npt.NDArray[np.float32]
    visible: npt.NDArray[np.float32] | None = None


@final
@dataclass(frozen=True)
class Picture:
    """One image, its size (H, W) as annotated, its objects, and the files of its other targets.

    listed: where it was named, for messages.
    """

    key: str
    scene: str
    image: Field
    size: tuple[int, int]
    objects: Objects
    listed: str
    fields: Mapping[str, Field] = field(default_factory=dict)


@final
class BoxSet(LabelledSet):
    """`pictures` with their boxes. Each published layout has a function that makes one.

    Only the files of labels that are read are looked for: in `only`, or when the first sample is read.

    Args:
        pictures: One for each sample, with its objects. Their images are there.
        labels: The targets to offer, of "detection", "attributes" and the pictures' fields.
        objects: Names of the object classes; label k is objects[k - 1].
        where: What lists the pictures, for messages.
        attributes: Names of the objects' attributes.
        classes: Names of the segmentation classes.
    """

    def __init__(
        self,
        pictures: Sequence[Picture],
        *,
        labels: Sequence[str],
        objects: Sequence[str],
        where: str,
        attributes: Sequence[str] = (),
        classes: Sequence[str] = (),
    ) -> None:
        if not pictures:
            raise ValueError(f"{where} names no images: the data set is empty; give another split or path")
        key, count = Counter(picture.key for picture in pictures).most_common(1)[0]
        if count > 1:
            raise ValueError(f"{where} names {key!r} {count} times: keys are unique; remove the repeated lines")
        self._pictures = tuple(pictures)
        self._labels = tuple(labels)
        self._objects = tuple(objects)
        self._attributes = tuple(attributes)
        self._classes = tuple(classes)
        self._found = False
        self.where = where

    def only(self, labels: Sequence[str]) -> BoxSet:
        found = copy(self)
        found._labels = require_labels(labels, self._labels, self.where)
        found._find()
        return found

    def _find(self) -> None:
        """Once, the files of the dense labels."""
        for picture in () if self._found else self._pictures:
            for label in self._labels:
                if label in picture.fields and not picture.fields[label].path.is_file():
                    others = tuple(name for name in self._labels if name != label)
                    raise FileNotFoundError(
                        f"{picture.fields[label].path} does not exist: restore it, or read the data set's other labels "
                        f"with .only({others})"
                    )
        self._found = True

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} is outside 0..{len(self) - 1} of {self.where}")
        self._find()
        picture = self._pictures[index]
        image = picture.image.read(picture.image.path)
        _require_size(tuple(image.shape[-2:]), picture, f"image {picture.image.path}")
        sample = {"image": image, "key": picture.key}
        for label in self._labels:
            if label in (DETECTION, ATTRIBUTES):
                sample[label] = _target(label, picture)
            elif label in picture.fields:
                file = picture.fields[label]
                sample[label] = file.read(file.path)
                _require_size(tuple(sample[label].shape[-2:]), picture, f"{label} {file.path}")
        return sample

    @property
    def labels(self) -> tuple[str, ...]:
        return self._labels

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes if "segmentation" in self._labels else ()

    @property
    def objects(self) -> tuple[str, ...]:
        return self._objects

    @property
    def attributes(self) -> tuple[str, ...]:
        return self._attributes if ATTRIBUTES in self._labels else ()

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """What each sample is made from."""
        return self._pictures

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """(H, W) of each image, without reading it."""
        return tuple(picture.size for picture in self._pictures)

    def key(self, index: int) -> str:
        return self._pictures[index].key

    def scene(self, index: int) -> str:
        return self._pictures[index].scene

    def files(self, index: int) -> dict[str, Path]:
        """{``image`` or dense label: the file it is read from} of a sample."""
        picture = self._pictures[index]
        dense = {name: picture.fields[name].path for name in self._labels if name in picture.fields}
        return {"image": picture.image.path, **dense}


def _target(label: str, picture: Picture) -> dict[str, Any]:
    objects = picture.objects
    target: dict[str, Any] = {
        "boxes": bounding_boxes(objects.boxes.copy(), picture.size),
        "labels": torch.from_numpy(objects.labels.copy()),
    }
    if label == ATTRIBUTES:
        return {**target, "values": torch.from_numpy(objects.values.copy())}
    target["ignore"] = torch.from_numpy(objects.ignore.copy())
    if objects.visible is not None:
        target["visible"] = torch.from_numpy(objects.visible.copy())
    return target


def _require_size(found: tuple[int, ...], picture: Picture, what: str) -> None:
    if found != picture.size:
        raise ValueError(
            f"{what} is {found[0]} x {found[1]} (H x W), but {picture.listed} says {picture.size[0]} x {picture.size[1]}: "
            f"its boxes would lie elsewhere; correct one of them, or leave {picture.key!r} out"
        )
