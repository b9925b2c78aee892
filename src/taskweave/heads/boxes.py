"""How heads say boxes: as differences from reference boxes (anchors, regions of interest).

Boxes are x1, y1, x2, y2 in pixels, x2 and y2 edges. Overlaps, suppression and clipping are torchvision.ops'.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

Weights = tuple[float, float, float, float]

ANCHOR_WEIGHTS: Weights = (1.0, 1.0, 1.0, 1.0)
"""Of the coded differences from anchors, as in Faster R-CNN."""

ROI_WEIGHTS: Weights = (10.0, 10.0, 5.0, 5.0)
"""Of those from regions of interest, as in Fast R-CNN (its targets divided by .1, .1, .2, .2)."""

LARGEST = math.log(1000 / 16)
"""A decoded box is at most 62.5 times as wide or high as its reference, as in torchvision: exp is not to overflow."""


def encode_boxes(boxes: Tensor, references: Tensor, weights: Weights = ANCHOR_WEIGHTS) -> Tensor:
    """(..., 4) boxes as differences from references: wx (cx - rx) / rw, wy (cy - ry) / rh, ww log(w / rw), wh log(h / rh).

    c, r: the centres of box and reference; leading axes broadcast. Boxes must have an extent.
    Source: Girshick et al., R-CNN (CVPR 2014), appendix C; the weights as in torchvision.
    """
    size, reference = boxes[..., 2:] - boxes[..., :2], references[..., 2:] - references[..., :2]
    moved = (boxes[..., :2] + size / 2 - references[..., :2] - reference / 2) / reference
    coded = torch.cat([moved, torch.log(size / reference)], -1)
    return coded * torch.tensor(weights, dtype=coded.dtype, device=coded.device)


def decode_boxes(deltas: Tensor, references: Tensor, weights: Weights = ANCHOR_WEIGHTS) -> Tensor:
    """The boxes (..., 4) that `encode_boxes` coded, at least in float32; leading axes broadcast.

    Deltas (B, A, 4) with anchors (A, 4) give (B, A, 4); of Fast R-CNN, deltas (R, 4 (C + 1)) are first viewed as
    (R, C + 1, 4) and the regions as (R, 1, 4).
    """
    deltas = deltas.to(torch.promote_types(deltas.dtype, torch.float32))
    deltas = deltas / torch.tensor(weights, dtype=deltas.dtype, device=deltas.device)
    reference = references[..., 2:] - references[..., :2]
    centre = references[..., :2] + reference / 2 + deltas[..., :2] * reference
    half = deltas[..., 2:].clamp(max=LARGEST).exp() * reference / 2
    return torch.cat([centre - half, centre + half], -1)
