"""Images with boxes: one list of pictures, each with its objects, read from annotations beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, final

import numpy as np
import numpy.typing as npt
import torch
from annotated_types import Len
from PIL import Image

from taskweave.data.boxes import bounding_boxes
from taskweave.data.facts import ATTRIBUTES, DETECTION, SetFacts
from taskweave.data.readers.fileset import Field, Listed, ListedSet
from taskweave.data.sample import Sample

Classes = Annotated[tuple[str, ...], Len(1)] | None


def need_classes(options: Mapping[str, Any]) -> None:
    """The rule of data sets whose classes only their files name: a recipe says them, since no file is opened by then."""
    if options["classes"] is None:
        raise ValueError(f"the classes of {options['path']} are in its files: name them, e.g. classes: [person]")


def files_of(path: Path, part: str, parts: Mapping[str, tuple[Path, Path]]) -> tuple[Path, Path]:
    """Images and annotations of a part below `path`; ValueError for another name."""
    if part not in parts:
        raise ValueError(f"there is no part {part!r}: expected one of {list(parts)}")
    images, annotations = parts[part]
    return path / images, path / annotations


def size_of_picture(path: Path) -> tuple[int, int]:
    """(H, W) from an image file's head, without decoding it."""
    try:
        with Image.open(path) as file:
            return file.height, file.width
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ValueError(f"{path} is not a readable picture ({error}): write it again") from error


def number_in(text: str, what: str) -> float:
    """Return the number that a text holds.

    Args:
        what: What the number is and where it stands, for messages.

    Raises:
        ValueError: The text is not a number.
    """
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{what} is {text!r}, expected a number") from None


def four_numbers(value: Any, what: str) -> tuple[float, float, float, float]:
    """Return x, y, width and height from a JSON list of four numbers.

    Args:
        what: What the value is, for messages.

    Raises:
        ValueError: `value` is anything else.
    """
    if not isinstance(value, list) or len(value) != 4 or not all(isinstance(number, int | float) for number in value):
        raise ValueError(f"{what} is {value!r}, expected [x, y, width, height]")
    x, y, width, height = value
    return x, y, width, height


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
    """n objects as arrays, so that a data set can hold a million objects and pass them to worker processes.

    Args:
        boxes: (n, 4) float32 x1, y1, x2, y2.
        labels: (n,) int64 from 1.
        ignore: (n,) bool.
        values: (n, A) float32 of 0, 1, NaN.
        visible: (n,) float32 in 0..1; None if the data set does not state it.
    """

    boxes: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    ignore: npt.NDArray[np.bool_]
    values: npt.NDArray[np.float32]
    visible: npt.NDArray[np.float32] | None = None


@final
@dataclass(frozen=True)
class Picture(Listed):
    """One image, its objects, and the files of its other targets.

    Args:
        size: (height, width) as annotated.
        listed: Where the image is listed, for messages.
    """

    image: Field
    size: tuple[int, int]
    objects: Objects
    listed: str
    fields: Mapping[str, Field] = field(default_factory=dict)


@final
class BoxSet(ListedSet[Picture]):
    """`pictures` with their boxes. Each published layout has a function that makes one.

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
        named = SetFacts(where, tuple(labels), tuple(classes), tuple(objects), tuple(attributes))
        super().__init__(pictures, named, what="images")

    def _completed(self) -> Sequence[Picture]:
        """The pictures, whose dense labels have their files."""
        for picture in self._entries:
            for label in self._labels:
                if label in picture.fields and not picture.fields[label].path.is_file():
                    others = tuple(name for name in self._labels if name != label)
                    raise FileNotFoundError(
                        f"{picture.fields[label].path} does not exist: restore it, or read the data set's other labels "
                        f"with .only({others})"
                    )
        return self._entries

    def __getitem__(self, index: int) -> Sample:
        picture = self._entry(index)
        image = picture.image.value()
        _require_size(tuple(image.shape[-2:]), picture, f"image {picture.image.path}")
        sample = {"image": image, "key": picture.key}
        for label in self._labels:
            if label in (DETECTION, ATTRIBUTES):
                sample[label] = _target(label, picture)
            elif label in picture.fields:
                sample[label] = picture.fields[label].value()
                _require_size(tuple(sample[label].shape[-2:]), picture, f"{label} {picture.fields[label].path}")
        return sample

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """What each sample is made from."""
        return self._entries

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """(H, W) of each image, without reading it."""
        return tuple(picture.size for picture in self._entries)

    def files(self, index: int) -> dict[str, Path]:
        picture = self._entries[index]
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
