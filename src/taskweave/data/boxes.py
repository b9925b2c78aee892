"""Boxes as targets: what is in them, how they are kept with their labels, how one is coded against another.

A box is x1, y1, x2, y2 in float32 pixels; x2 and y2 are edges, so a box over the whole image is (0, 0, W, H).
A detection target is ``{"boxes": BoundingBoxes (n, 4), "labels": int64 (n,), "ignore": bool (n,)}`` with labels from 1
(0 is background), an attribute target ``{"boxes", "labels", "values": float32 (n, A) of 0, 1, NaN = unknown}`` of the same
objects in the same order. A detection target may have ``"visible": float32 (n,)``, the share of each object that can be
seen. Ignored boxes are neither positive nor negative. An image without objects has n = 0.

Where each image is asked for one box, its target is BoundingBoxes (1, 4) alone, and an image without one has no label.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torchvision import tv_tensors

from taskweave.data.sample import BOX_INPUTS

SHORTEST = 1.0
"""Pixels: a box that a transform leaves shorter than this, in width or height, shows nothing and is dropped."""
_ROUNDING = 1e-3


def bounding_boxes(rows: Any, size: tuple[int, int]) -> tv_tensors.BoundingBoxes:
    """(n, 4) numbers x1, y1, x2, y2 of an image of `size` (H, W) as tv_tensors.BoundingBoxes, float32; n may be 0."""
    values = torch.as_tensor(rows, dtype=torch.float32).reshape(-1, 4)
    return tv_tensors.BoundingBoxes(values, format=tv_tensors.BoundingBoxFormat.XYXY, canvas_size=size)


def rows_where(target: Mapping[str, Any], keep: Tensor) -> dict[str, Any]:
    """The boxes of a target for which `keep` (bool (n,)) holds, with everything that is said of them."""
    kept = {}
    for name, value in target.items():
        rows = value.as_subclass(Tensor)[keep] if isinstance(value, Tensor) else value
        kept[name] = tv_tensors.wrap(rows, like=value) if isinstance(value, tv_tensors.TVTensor) else rows
    return kept


def is_box_target(value: Any) -> bool:
    """Whether a sample's value is a mapping with BoundingBoxes and what is said of each."""
    return isinstance(value, Mapping) and isinstance(value.get("boxes"), tv_tensors.BoundingBoxes)


def tidy(sample: Mapping[str, Any]) -> dict[str, Any]:
    """`sample` with boxes clipped to their image and those without extent dropped, with all that is said of them.

    What transforms leave of a box that is now outside is a line or a point. A sample whose boxes are all gone stays; where
    a label was the box itself (BoundingBoxes under a task's name), it is missing then.
    """
    tidied = {name: _tidied(value) for name, value in sample.items()}
    lost = {name for name, value in tidied.items() if isinstance(value, tv_tensors.BoundingBoxes) and not len(value)}
    return {name: value for name, value in tidied.items() if name in BOX_INPUTS or name not in lost}


def _tidied(value: Any) -> Any:
    if is_box_target(value):
        clipped = {**value, "boxes": clip(value["boxes"])}
        return rows_where(clipped, has_extent(clipped["boxes"]))
    if isinstance(value, tv_tensors.BoundingBoxes):
        clipped = clip(value)
        return tv_tensors.wrap(clipped.as_subclass(Tensor)[has_extent(clipped)], like=clipped)
    return value


def clip(boxes: tv_tensors.BoundingBoxes) -> tv_tensors.BoundingBoxes:
    """The part of each box that is in the image."""
    height, width = boxes.canvas_size
    limits = torch.tensor([width, height, width, height], dtype=boxes.dtype, device=boxes.device)
    plain = torch.minimum(boxes.as_subclass(Tensor).clamp(min=0), limits)
    return tv_tensors.wrap(plain, like=boxes)


def has_extent(boxes: Tensor) -> Tensor:
    """bool (n,): which boxes (n, 4) are at least `SHORTEST` wide and high."""
    x1, y1, x2, y2 = boxes.as_subclass(Tensor).unbind(-1)
    least = SHORTEST - _ROUNDING  # a box scaled to one pixel may come out a little shorter
    return (x2 - x1 >= least) & (y2 - y1 >= least)


def area(boxes: Tensor) -> Tensor:
    """(n,): 0 for a box that ends before it begins."""
    x1, y1, x2, y2 = boxes.as_subclass(Tensor).unbind(-1)
    return (x2 - x1).clamp(min=0) * (y2 - y1).clamp(min=0)


def overlap(first: Tensor, second: Tensor) -> Tensor:
    """(n, m): the area that each of (n, 4) shares with each of (m, 4)."""
    first, second = first.as_subclass(Tensor), second.as_subclass(Tensor)
    low = torch.maximum(first[:, None, :2], second[None, :, :2])
    high = torch.minimum(first[:, None, 2:], second[None, :, 2:])
    return (high - low).clamp(min=0).prod(dim=-1)


def iou(first: Tensor, second: Tensor) -> Tensor:
    """(n, m): shared area over joint area."""
    shared = overlap(first, second)
    joint = area(first)[:, None] + area(second)[None] - shared
    return shared / joint.clamp(min=torch.finfo(joint.dtype).tiny)


def deltas(boxes: Tensor, references: Tensor, weights: tuple[float, float, float, float]) -> Tensor:
    """(n, 4): each of `boxes` coded against the reference in its row, as torchvision does.

    ``(wx (cx - rx) / rw, wy (cy - ry) / rh, ww log(w / rw), wh log(h / rh))`` with centres c, r and sizes w, h (R-CNN).
    """
    boxes, references = boxes.as_subclass(Tensor), references.as_subclass(Tensor)
    size, reference = boxes[:, 2:] - boxes[:, :2], references[:, 2:] - references[:, :2]
    moved = (boxes[:, :2] + size / 2 - references[:, :2] - reference / 2) / reference
    coded = torch.cat([moved, torch.log(size / reference)], dim=1)
    return coded * torch.tensor(weights, dtype=coded.dtype, device=coded.device)
