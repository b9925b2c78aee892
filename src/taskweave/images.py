"""How a picture becomes what a network expects: channel order, range, mean and deviation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class ImageStatistics:
    """Turns RGB pictures into network input and back.

    mean, std: per channel of the network's own order, in units of `scale`.
    scale: the largest value of a pixel, 1.0 (most networks) or 255.0 (Caffe).
    bgr: whether the network reads blue first.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    scale: float = 1.0
    bgr: bool = False

    def normalise(self, image: Tensor) -> Tensor:
        """(…, 3, H, W) RGB, uint8 in 0..255 or float in [0, 1] -> float32 network input."""
        x = image.float() * (self.scale / 255.0 if image.dtype == torch.uint8 else self.scale)
        x = x.flip(-3) if self.bgr else x
        return x.sub_(self._column(self.mean, x)).div_(self._column(self.std, x))  # x is our own: memory is what takes time

    def restore(self, image: Tensor) -> Tensor:
        """The inverse: network input (…, 3, H, W) -> RGB float in [0, 1], clipped."""
        x = (image * self._column(self.std, image) + self._column(self.mean, image)) / self.scale
        return (x.flip(-3) if self.bgr else x).clamp(0.0, 1.0)

    @staticmethod
    def _column(values: tuple[float, float, float], like: Tensor) -> Tensor:
        return torch.tensor(values, dtype=like.dtype, device=like.device)[:, None, None]


IMAGENET = ImageStatistics(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
"""What timm's and torchvision's networks are trained with."""

CAFFE = ImageStatistics(mean=(104.00698793, 116.66876762, 122.67891434), std=(1.0, 1.0, 1.0), scale=255.0, bgr=True)
"""What CaffeNet and the VGG-16 of the papers are trained with."""

PLAIN = ImageStatistics(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
"""Pixels in [0, 1] as they are: the pet paper's public code."""
