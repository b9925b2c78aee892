"""Which detections of one class are right: matching within an image, and the operating points over all images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torchvision.ops import box_area, box_iou

from taskweave.metrics.detection_images import DetectedImage


class Matched(NamedTuple):
    """The detections that count, and how many objects there are to find. scores (n,), right (n,) bool."""

    scores: Tensor
    right: Tensor
    objects: int


Matching = Callable[[DetectedImage, float], Matched]
"""(what concerns one class in one image, the least IoU of a match) -> what counts."""


class Points(NamedTuple):
    """The operating points of a detector, float64 (k,): one for each distinct score, from the highest down.

    right, wrong: detections of at least that score.  objects: to be found.
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
