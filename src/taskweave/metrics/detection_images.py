"""What a detector said of one image and what was there: the material of every detection metric."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from taskweave.metrics.gain import Direction
from taskweave.metrics.per_image import PerImage


class DetectedImage(NamedTuple):
    """n detections and m true objects of one image.

    boxes (n, 4), scores (n,), labels (n,): detections; boxes are x1, y1, x2, y2 in pixels.
    true_boxes (m, 4), true_labels (m,), ignore (m,) bool, visible (m,) the visible share of each object, 1 if not known.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor
    true_boxes: Tensor
    true_labels: Tensor
    ignore: Tensor
    visible: Tensor

    def of_class(self, label: int) -> DetectedImage:
        """What concerns the class `label`."""
        said, there = self.labels == label, self.true_labels == label
        return DetectedImage(*(value[said] for value in self[:3]), *(value[there] for value in self[3:]))

    @property
    def order(self) -> tuple[object, ...]:
        """Sorts images the same way however they came: only equal images have equal orders."""
        return tuple(value.flatten().tolist() for value in self)


@final
@dataclass(frozen=True)
class Curve:
    """A curve to draw, and its points.

    x, y: shares or counts as the axis names say, not percent.  name: of the class.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    x_axis: str
    y_axis: str
    logarithmic: bool = False


class DetectionMeasure(ABC):
    """One protocol of measuring detections. Imports nothing heavy: a task holds it, `DetectionMetric` runs it."""

    @property
    @abstractmethod
    def directions(self) -> Mapping[str, Direction]:
        """The names of its numbers, and which way they are better."""

    @abstractmethod
    def measure(self, images: Sequence[DetectedImage], classes: int) -> dict[str, Tensor]:
        """Its numbers over all images, for the labels 1..classes; the order of the images must not matter."""

    @abstractmethod
    def per_image(self, images: Sequence[DetectedImage], classes: int) -> PerImage:
        """What each image contributes to its numbers, in the order given."""

    def per_class(self, images: Sequence[DetectedImage], classes: int) -> dict[str, Tensor]:
        """Its numbers by class, (classes,) each, NaN for a class without objects; {} for a measure without such."""
        return {}

    def curves(self, images: Sequence[DetectedImage], names: Sequence[str]) -> list[Curve]:
        """Its curve for each class that has objects; [] for a measure without curves. names[k] is the class k + 1."""
        return []


def by_class(images: Sequence[DetectedImage], classes: int) -> list[list[DetectedImage]]:
    """For each class 1..classes, what concerns it in the images where it is said or there."""
    found: list[list[DetectedImage]] = [[] for _ in range(classes)]
    for image in images:
        for label in {*image.labels.tolist(), *image.true_labels.tolist()}:
            found[label - 1].append(image.of_class(label))
    return found


def detected_image(prediction: Mapping[str, Any], target: Mapping[str, Any]) -> DetectedImage:
    """Plain float32 and int64 tensors in main memory. Raises ValueError for missing keys or lengths that differ."""
    said = _columns("a prediction", prediction, ("boxes", "scores", "labels"))
    there = _columns("a detection target", target, ("boxes", "labels"))
    count = len(there[1])
    ignore = _column("a detection target", "ignore", target, torch.zeros(count, dtype=torch.bool))
    visible = _column("a detection target", "visible", target, torch.ones(count))
    return DetectedImage(
        said[0].float(), said[1].float(), said[2].long(), there[0].float(), there[1].long(), ignore.bool(), visible.float()
    )


def _columns(what: str, values: Mapping[str, Any], names: tuple[str, ...]) -> list[Tensor]:
    missing = [name for name in names if name not in values]
    if missing:
        raise ValueError(
            f"{what} is a mapping with {', '.join(names)}, got {sorted(values)}; decode outputs with the task, and give "
            "targets as the data set does, not those of regions sampled for training"
        )
    columns = [_plain(values[name]) for name in names]
    if columns[0].ndim != 2 or columns[0].shape[1] != 4 or any(c.shape != columns[0].shape[:1] for c in columns[1:]):
        shapes = {name: tuple(column.shape) for name, column in zip(names, columns, strict=True)}
        raise ValueError(f"{what} expects boxes (n, 4) and one value per box, got {shapes}; give every box its own row")
    return columns


def _column(what: str, name: str, values: Mapping[str, Any], default: Tensor) -> Tensor:
    column = _plain(values[name]) if name in values else default
    if column.shape != default.shape:
        raise ValueError(
            f"{what} expects {name} {tuple(default.shape)}, got {tuple(column.shape)}; give every box its own value"
        )
    return column


def _plain(value: Tensor) -> Tensor:
    return value.detach().as_subclass(Tensor).cpu()
