"""Boxes to look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torchvision import tv_tensors

from taskweave.tasks.palette import label_colours

_GREY = (128, 128, 128)


def draw_boxes(value: Mapping[str, Any], labels: Tensor, *, classes: int, shown: float) -> Tensor:
    """Outlines on black, uint8 (3, H, W), each in its class's fixed colour, boxes to be ignored in grey.

    value: a prediction or a target with BoundingBoxes.  labels: (n,) from 1.  shown: the least score of a drawn box.
    """
    boxes = value["boxes"]
    if not isinstance(boxes, tv_tensors.BoundingBoxes):
        raise ValueError(
            f"boxes are drawn from BoundingBoxes, which know the image's size, got {type(boxes).__name__}; give a decoded "
            "prediction, or a target as the data set gives it"
        )
    height, width = boxes.canvas_size
    picture = torch.zeros(3, height, width, dtype=torch.uint8)
    colours = label_colours(classes)
    thick = max(1, min(height, width) // 150)
    # From the last to the first: the best detections come first and lie on top.
    for index in reversed(range(len(boxes))):
        if "scores" in value and float(value["scores"][index].detach().max()) < shown:
            continue
        grey = "ignore" in value and bool(value["ignore"][index])
        colour = torch.tensor(_GREY, dtype=torch.uint8) if grey else colours[int(labels[index]) - 1]
        _outline(picture, [round(x) for x in boxes[index].tolist()], colour, thick)
    return picture


def lines_over(image: Tensor, lines: Tensor) -> Tensor:
    """Lines on black laid over an image, which is darkened; all RGB uint8 (3, H, W)."""
    lines = lines.to(image.device)
    return torch.where((lines != 0).any(0), lines, image // 2)


def _outline(picture: Tensor, box: list[int], colour: Tensor, thick: int) -> None:
    x1, y1, x2, y2 = box
    inside = picture[:, max(0, y1) : max(0, y2), max(0, x1) : max(0, x2)]
    for part in (inside[:, :thick], inside[:, -thick:], inside[:, :, :thick], inside[:, :, -thick:]):
        part[:] = colour[:, None, None]
