"""Losses between one predicted and one true box."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from taskweave.metrics.box_overlap import LEAST, paired_iou

BoxLoss = Literal["diou", "diou_as_printed"]
"""The distance penalty of the loss; d is the diagonal of the smallest box that holds both, r the distance of the centres.

"diou": r^2 / d^2, which does not depend on the boxes' scale; Zheng et al., Distance-IoU loss (AAAI 2020), eq. 7.
"diou_as_printed": r / d^2, as the Pet paper's eq. 2 has it, seemingly by mistake. It falls as 1 / scale: in pixels it is
    next to nothing for large boxes; relative to the image it may well exceed 1.
"""


def distance_iou_loss(prediction: Tensor, target: Tensor, *, kind: BoxLoss = "diou") -> Tensor:
    """1 - IoU + penalty, (...,): boxes (..., 4) as x1, y1, x2, y2 with x1 <= x2, y1 <= y2, in one unit. See `BoxLoss`.

    "diou" is in [0, 2), 0 for equal boxes. Boxes without extent have an IoU of 0; value and gradients are finite, also for
    two equal points, whose penalty is 0.

    >>> round(float(distance_iou_loss(torch.tensor([0., 0, 2, 2]), torch.tensor([1., 1, 3, 3]))), 6)
    0.968254
    """
    low = torch.minimum(prediction[..., :2], target[..., :2])
    high = torch.maximum(prediction[..., 2:], target[..., 2:])
    diagonal = (high - low).square().sum(-1).clamp(min=LEAST)
    apart = ((prediction[..., :2] - target[..., :2]) + (prediction[..., 2:] - target[..., 2:])) / 2
    # the gradient of vector_norm is 0 at 0, where that of a plain square root is infinite
    distance = apart.square().sum(-1) if kind == "diou" else torch.linalg.vector_norm(apart, dim=-1)
    return 1.0 - paired_iou(prediction, target) + distance / diagonal


def spanned(corners: Tensor) -> Tensor:
    """(..., 4): the box with two given opposite corners, x1 <= x2 and y1 <= y2, whichever corners they are."""
    first, second = corners[..., :2], corners[..., 2:]
    return torch.cat([torch.minimum(first, second), torch.maximum(first, second)], -1)
