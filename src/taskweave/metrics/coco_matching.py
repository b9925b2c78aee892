"""Which detections of one class are right in one image, by COCO's rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from taskweave.metrics.detection_images import DetectedImage

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""IoU .5, .55, ..., .95."""


def match_as_coco(image: DetectedImage, limit: int) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Scores (n,), (n, 2, 10) whether a detection is right and whether it counts at each threshold, and the objects.

    From the highest score down, the best `limit` of them: a detection takes the object that it overlaps most among those
    still free; where none is left, it may lie in a crowd (the share of its own area counts as the IoU), which holds any
    number, and then does not count. All others are wrong. Of objects that it overlaps equally the last is taken.
    """
    scores, order = image.scores.double().sort(descending=True, stable=True)
    scores, boxes = scores[:limit], image.boxes[order[:limit]]
    truth = image.true_boxes
    objects, crowds = truth[~image.ignore], truth[image.ignore]
    overlap, inside = _shared(boxes, objects, crowd=False), _shared(boxes, crowds, crowd=True)
    least = np.minimum(THRESHOLDS, 1 - 1e-10)
    right = np.zeros((len(boxes), len(least)), bool)
    free = np.ones((len(least), len(objects)), bool)
    for at in np.flatnonzero((overlap >= least[0]).any(1)):
        fits = free & (overlap[at] >= least[:, None])
        right[at] = fits.any(1)
        best = np.where(fits, overlap[at], -1.0)
        taken = len(objects) - 1 - best[:, ::-1].argmax(1)
        free[right[at], taken[right[at]]] = False
    in_crowd = (inside[:, None] >= least[:, None]).any(-1)
    return scores.numpy(), np.stack([right, right | ~in_crowd], 1), len(objects)


def _shared(boxes: Tensor, others: Tensor, *, crowd: bool) -> NDArray[np.float64]:
    """(n, m) IoU in float64 of boxes whose sides are rounded to float32, as COCO's x, y, width and height are."""
    low, side = boxes[:, None, :2].double(), (boxes[:, 2:] - boxes[:, :2]).double()[:, None]
    other_low, other_side = others[None, :, :2].double(), (others[:, 2:] - others[:, :2]).double()[None]
    extent = torch.minimum(low + side, other_low + other_side) - torch.maximum(low, other_low)
    shared = extent.clamp(min=0).prod(-1)
    area, other_area = side.prod(-1), other_side.prod(-1)
    joint = area.expand_as(shared) if crowd else area + other_area - shared
    return np.asarray(torch.where(shared > 0, shared / joint, 0.0).numpy())
