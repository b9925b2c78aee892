"""Images of any size brought to one, without changing their aspect."""

from __future__ import annotations

from typing import Any, final

import torch
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

from taskweave.data.tensors import Depth, Disparity, Normals
from taskweave.data.transforms.joint import JointTransform
from taskweave.data.transforms.resizing import resize
from taskweave.images import ImageStatistics


@final
class Fit(JointTransform):
    """As large as fits into `size` (H, W) at the same aspect, at the top left; the rest is padding.

    The padding is the network's mean colour (0 once normalised), `ignore` in masks, no depth and no normal; depth keeps its
    metres, as in `Resize`. For detectors, whose objects would be distorted by `Resize`.
    """

    _transformed_types = (tv_tensors.Image, tv_tensors.Mask, tv_tensors.BoundingBoxes, Depth, Disparity, Normals)

    def __init__(self, size: tuple[int, int], *, statistics: ImageStatistics, ignore: int = 255) -> None:
        super().__init__()
        if min(size) < 1:
            raise ValueError(f"a size is (height, width) in pixels, both at least 1, got {size}")
        self.size = size
        self.ignore = ignore
        self.colour = statistics.restore(torch.zeros(3, 1, 1)).flatten().tolist()

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        height, width = F.get_size(inpt)
        scale = min(self.size[0] / height, self.size[1] / width)
        inner = (min(self.size[0], max(1, round(height * scale))), min(self.size[1], max(1, round(width * scale))))
        padding = [0, 0, self.size[1] - inner[1], self.size[0] - inner[0]]
        small = resize(inpt, inner)
        if isinstance(small, tv_tensors.Image):
            return F.pad(F.to_dtype(small, torch.float32, scale=True), padding, fill=self.colour)
        return F.pad(small, padding, fill=self.ignore)
