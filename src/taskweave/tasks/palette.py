"""Colours for people to look at."""

from __future__ import annotations

import colorsys
from functools import cache

import torch
from torch import Tensor

_GOLDEN = 0.618033988749895
# Viridis at five places: perceptually even, and readable without colour vision.
_SCALE = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))


@cache
def label_colours(classes: int) -> Tensor:
    """uint8 (classes + 1, 3): a fixed colour per class number, the same however many classes there are; black last.

    Neighbouring numbers are a golden angle of hue apart; brightness changes every few numbers. No class is black.
    """
    rows = [
        colorsys.hsv_to_rgb(i * _GOLDEN % 1.0, (0.85, 0.5, 0.65)[i // 8 % 3], (0.95, 0.7, 0.45)[i // 3 % 3])
        for i in range(classes)
    ]
    return (torch.tensor([*rows, (0.0, 0.0, 0.0)]) * 255).round().to(torch.uint8)


def scale_colours(value: Tensor) -> Tensor:
    """Numbers (H, W), clipped to 0..1, as uint8 (3, H, W) from dark violet (0) over green to yellow (1)."""
    anchors = torch.tensor(_SCALE, dtype=torch.float32, device=value.device)
    place = value.float().clamp(0.0, 1.0) * (len(_SCALE) - 1)
    low = place.floor().long().clamp(max=len(_SCALE) - 2)
    share = (place - low)[..., None]
    colours = anchors[low] * (1.0 - share) + anchors[low + 1] * share
    return colours.round().to(torch.uint8).permute(2, 0, 1)
