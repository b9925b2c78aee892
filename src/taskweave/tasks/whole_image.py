"""What tasks with one answer per image share: outputs (B, n), and pictures with a caption."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

_INK = 255
_CANVAS = (24, 128)
_SHARE, _SMALLEST = 8, 7


def check_answers(task: str, output: Tensor, channels: int) -> None:
    """Raise ValueError unless `output` is (B, channels)."""
    if output.ndim != 2 or output.shape[1] != channels:
        raise ValueError(
            f"{task} expects an output (B, {channels}), one row per image, got {tuple(output.shape)}; end the network in "
            f"taskweave.heads.PooledLinear(channels, {channels})"
        )


def check_one_each(task: str, output: Tensor, target: Tensor) -> None:
    """Raise ValueError unless `target` is (B,), one number for each row of the output."""
    if target.ndim != 1 or len(target) != len(output):
        raise ValueError(
            f"{task} expects a target ({len(output)},) for its output {tuple(output.shape)}, got {tuple(target.shape)}; "
            "give one number per image, of the same samples"
        )


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
