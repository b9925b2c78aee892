"""What a detector said of one image and what was there, which objects are asked for, and which detections are right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import torch
from torch import Tensor
from torchvision.ops import box_area, box_iou


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
class Subset:
    """Objects at least `min_height` pixels high of which at least the share `min_visible` can be seen.

    Objects outside it are ignored: finding them is neither right nor wrong. Targets without "visible" are seen whole.
    Detections lower than min_height / slack do not count at all, since they can only answer to objects outside (the
    "expanded filtering" of Dollár et al. 2012, with slack 1.25).
    Pixels are those of the picture as the network sees it: where data are enlarged, enlarge min_height.
    """

    min_height: float = 0.0
    min_visible: float = 0.0
    slack: float = 1.25

    def __post_init__(self) -> None:
        if not self.min_height >= 0 or not 0 <= self.min_visible <= 1 or not self.slack >= 1:
            raise ValueError(f"a Subset needs min_height >= 0, min_visible in 0..1 and slack >= 1, got {self}")

    def of(self, images: Sequence[DetectedImage]) -> Sequence[DetectedImage]:
        """The images, each with the objects outside the subset ignored."""
        return images if self.min_height == 0 and self.min_visible == 0 else [self.applied(image) for image in images]

    def applied(self, image: DetectedImage) -> DetectedImage:
        """The image with every object outside the subset ignored, and without the detections that are too low."""
        height = image.true_boxes[:, 3] - image.true_boxes[:, 1]
        visible = image.visible >= torch.tensor(self.min_visible, dtype=image.visible.dtype)
        outside = (height < self.min_height) | ~visible
        counts = image.boxes[:, 3] - image.boxes[:, 1] >= self.min_height / self.slack
        boxes, scores, labels = (value[counts] for value in image[:3])
        return image._replace(boxes=boxes, scores=scores, labels=labels, ignore=image.ignore | outside)


REASONABLE = Subset(min_height=50.0, min_visible=0.65)
"""Pedestrians at least 50 pixels high and at least 65 % visible (Dollár et al. 2012; the cross-connected paper)."""

BIRDS = Subset(min_height=15.0)
"""Birds at least 15 pixels high (the cross-connected paper; it says "taller than 15 pixels")."""


def by_class(images: Sequence[DetectedImage], classes: int) -> list[list[DetectedImage]]:
    """For each class 1..classes, what concerns it in the images where it is said or there."""
    found: list[list[DetectedImage]] = [[] for _ in range(classes)]
    for image in images:
        for label in {*image.labels.tolist(), *image.true_labels.tolist()}:
            found[label - 1].append(image.of_class(label))
    return found


def detected_image(prediction: Mapping[str, Any], target: Mapping[str, Any]) -> DetectedImage:
    """Return a prediction and its target as plain float32, int64 and bool tensors on the CPU.

    Raises:
        ValueError: A key is missing, or lengths differ.
    """
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


class Matched(NamedTuple):
    """The detections that count, and how many objects there are to find. scores (n,), right (n,) bool."""

    scores: Tensor
    right: Tensor
    objects: int


Matching = Callable[[DetectedImage, float], Matched]
"""(what concerns one class in one image, the least IoU of a match) -> what counts."""


class Points(NamedTuple):
    """The operating points of a detector: one per distinct score, from the highest down.

    Args:
        right: float64 (k,), how many right detections have at least that score.
        wrong: float64 (k,), how many wrong detections have at least that score.
        objects: How many objects there are to be found.
    """

    right: Tensor
    wrong: Tensor
    objects: int


def match_as_voc(image: DetectedImage, iou: float) -> Matched:
    """PASCAL VOC: from the highest score down, a detection goes to the object that it overlaps most.

    With an IoU of at least `iou` it is right if it is the first there, wrong if it is a repetition, and does not count if
    the object is to be ignored (difficult). All others are wrong.
    """
    scores, boxes = _descending(image)
    objects = int((~image.ignore).sum())
    if not len(image.true_boxes) or not len(boxes):
        return Matched(scores, torch.zeros_like(scores, dtype=torch.bool), objects)
    best, which = box_iou(boxes, image.true_boxes.double()).max(1)
    near = best >= iou
    dropped = near & image.ignore[which]
    places = torch.arange(len(boxes))
    first = torch.full((len(image.true_boxes),), len(boxes)).scatter_reduce_(0, which[near], places[near], "amin")
    right = near & (first[which] == places)
    return Matched(scores[~dropped], right[~dropped], objects)


def match_with_regions(image: DetectedImage, iou: float) -> Matched:
    """Dollár et al. (2012, section 3.2): a detection goes to the object that it overlaps most among those still free.

    One that finds no free object does not count if at least the share `iou` of its own area lies in an ignored region,
    which takes any number of detections; else it is wrong.
    """
    scores, boxes = _descending(image)
    objects, ignored = image.true_boxes[~image.ignore].double(), image.true_boxes[image.ignore].double()
    overlap, inside = box_iou(boxes, objects), share_inside(boxes, ignored)
    right = torch.zeros(len(boxes), dtype=torch.bool)
    for index in (overlap >= iou).any(1).nonzero().flatten().tolist():
        best, which = overlap[index].max(0)
        if best >= iou:
            right[index] = True
            overlap[:, which] = -1.0
    counts = right | ~(inside >= iou).any(1)
    return Matched(scores[counts], right[counts], len(objects))


def share_inside(boxes: Tensor, regions: Tensor) -> Tensor:
    """(n, m): the share of the area of each of `boxes` (n, 4) that lies in each of `regions` (m, 4)."""
    low = torch.maximum(boxes[:, None, :2], regions[None, :, :2])
    high = torch.minimum(boxes[:, None, 2:], regions[None, :, 2:])
    shared: Tensor = (high - low).clamp(min=0).prod(-1)
    area: Tensor = box_area(boxes)
    return shared / area[:, None].clamp(min=torch.finfo(boxes.dtype).tiny)


def operating_points(images: Sequence[DetectedImage], matching: Matching, iou: float) -> Points:
    """The points over all images of one class. Detections of equal score are one point: their order means nothing."""
    matched = [matching(image, iou) for image in images]
    scores = torch.cat([torch.empty(0, dtype=torch.float64), *(part.scores for part in matched)])
    right = torch.cat([torch.empty(0, dtype=torch.bool), *(part.right for part in matched)])
    return points_of(scores, right, sum(part.objects for part in matched))


def points_of(scores: Tensor, right: Tensor, objects: int) -> Points:
    """The points of detections with these scores (n,), some of them right (n,) bool."""
    scores, order = scores.sort(descending=True)
    hits = right[order].double()
    last = torch.ones_like(hits, dtype=torch.bool)
    last[:-1] = scores[1:] != scores[:-1]
    return Points(hits.cumsum(0)[last], (1.0 - hits).cumsum(0)[last], objects)


def _descending(image: DetectedImage) -> tuple[Tensor, Tensor]:
    """Scores and boxes in float64 from the highest score down, equal scores in the order given."""
    scores, order = image.scores.double().sort(descending=True, stable=True)
    return scores, image.boxes[order].double()
