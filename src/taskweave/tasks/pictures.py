"""Labels and predictions for people to look at: colours, outlines of boxes, captions, legends."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision import tv_tensors

Key = tuple[str, tuple[int, int, int]]
"""An entry of a legend: a word, and its colour as RGB in 0..255."""

NO_LABEL: Key = ("no label", (0, 0, 0))
_GREY = (128, 128, 128)
_INK = 255
_CANVAS = (24, 128)
_SHARE, _SMALLEST = 8, 7
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


def class_keys(classes: Sequence[str]) -> list[Key]:
    """The legend of all classes."""
    return [(name, _rgb(colour)) for name, colour in zip(classes, label_colours(len(classes)).tolist(), strict=False)]


def keys_seen(classes: Sequence[str], pictures: Iterable[Tensor]) -> list[Key]:
    """Return the legend of those classes whose colour appears in a picture.

    Args:
        pictures: RGB uint8 (3, H, W).
    """
    seen = {tuple(colour) for picture in pictures for colour in torch.unique(picture.flatten(1).T, dim=0).tolist()}
    return [key for key in class_keys(classes) if key[1] in seen]


def scale_keys(far: float) -> list[Key]:
    """The legend of `scale_colours`, for numbers from 0 to `far` and beyond."""
    levels = [far * share for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    colours = scale_colours(torch.tensor(levels)[:, None] / far)[..., 0].T.tolist()
    words = [*(f"{level:.3g}" for level in levels[:-1]), f"{levels[-1]:.3g} and more"]
    return [(word, _rgb(colour)) for word, colour in zip(words, colours, strict=True)]


def draw_boxes(value: Mapping[str, Any], labels: Tensor, *, classes: int, shown: float) -> Tensor:
    """Draw box outlines on black, uint8 (3, H, W), each in its class's fixed colour, ignored boxes in grey.

    Args:
        value: A prediction or a target with BoundingBoxes.
        labels: (n,), from 1.
        shown: The least score of a drawn box.

    Raises:
        ValueError: The boxes are not BoundingBoxes.
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


def caption(text: str) -> Tensor:
    """The text alone, white on black, uint8 (3, 24, 128)."""
    return captioned(torch.zeros(3, *_CANVAS, dtype=torch.uint8), text, share=2)


def captioned(image: Tensor, text: str, *, share: int = _SHARE) -> Tensor:
    """An image, RGB uint8 (3, H, W), with the text in white on a black strip at its top; `image` is not changed.

    The letters are H / share high, at least 7 pixels, and smaller where the text would be wider than the image.
    """
    from PIL import Image, ImageDraw, ImageFont

    height, width = image.shape[-2:]
    size = max(_SMALLEST, height // share)
    while (font := ImageFont.load_default(size)).getlength(text) > width - 4 and size > _SMALLEST:
        size -= 1
    strip = Image.new("L", (width, min(height, size + 4)))
    ImageDraw.Draw(strip).text((2, 1), text, fill=_INK, font=font)
    drawn = image.clone()
    drawn[:, : strip.height] = torch.from_numpy(np.array(strip)).to(image.device)
    return drawn


def _outline(picture: Tensor, box: list[int], colour: Tensor, thick: int) -> None:
    x1, y1, x2, y2 = box
    inside = picture[:, max(0, y1) : max(0, y2), max(0, x1) : max(0, x2)]
    for part in (inside[:, :thick], inside[:, -thick:], inside[:, :, :thick], inside[:, :, -thick:]):
        part[:] = colour[:, None, None]


def _rgb(colour: Sequence[int]) -> tuple[int, int, int]:
    red, green, blue = colour
    return red, green, blue
