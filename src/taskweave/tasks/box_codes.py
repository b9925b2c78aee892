"""Boxes coded as offsets from other boxes, as R-CNN and torchvision do."""

from __future__ import annotations

import math

import torch
from torch import Tensor

Weights = tuple[float, float, float, float]

ANCHOR_WEIGHTS: Weights = (1.0, 1.0, 1.0, 1.0)
ROI_WEIGHTS: Weights = (10.0, 10.0, 5.0, 5.0)
_MOST = math.log(1000.0 / 16.0)


def encode_boxes(boxes: Tensor, references: Tensor, weights: Weights) -> Tensor:
    """(n, 4): each of `boxes` (n, 4) as seen from the reference in its row; the inverse of `decode_boxes`.

    ``(wx (cx - rx) / rw, wy (cy - ry) / rh, ww log(w / rw), wh log(h / rh))`` with centres c, r and sizes w, h.
    """
    size, reference = boxes[:, 2:] - boxes[:, :2], references[:, 2:] - references[:, :2]
    moved = (boxes[:, :2] + boxes[:, 2:] - references[:, :2] - references[:, 2:]) / (2.0 * reference)
    coded = torch.cat([moved, torch.log(size / reference)], dim=1)
    return coded * coded.new_tensor(weights)


def decode_boxes(deltas: Tensor, references: Tensor, weights: Weights) -> Tensor:
    """(..., 4) boxes of codes (..., 4) and references that broadcast with them. No box grows more than 62.5-fold."""
    moved, grown = (deltas / deltas.new_tensor(weights)).split_with_sizes([2, 2], dim=-1)
    low, high = references[..., :2], references[..., 2:]
    centre = (low + high) / 2 + moved * (high - low)
    half = (high - low) / 2 * grown.clamp(max=_MOST).exp()
    return torch.cat([centre - half, centre + half], dim=-1)
