"""What networks for regions of interest end in: pooling in every region, then boxes or attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from taskweave.heads.layers import small_linear
from taskweave.heads.outputs import RoiAttributes, RoiOutputs


@final
class RoiPooling(nn.Module):
    """The maximum in each of size x size parts of every region; (B, C, h, w) and per image (r_i, 4) -> (R, C, size, size).

    R = sum r_i, image by image; R may be 0. Regions are x1, y1, x2, y2 in pixels, x2 and y2 edges, rounded to cells.
    Source: Girshick, Fast R-CNN (ICCV 2015), section 2.1. His regions end in their last pixel, so 1 is taken off x2, y2.

    Args:
        size: Parts a side.
        stride: Of the feature. Its cell i is centred on pixel stride * i, as convolutions and pools that are padded to
            keep their grid make it: cell i stands for the pixels that round to it.
    """

    def __init__(self, size: int = 6, *, stride: int = 16) -> None:
        super().__init__()
        from torchvision.ops import RoIPool  # here: `taskweave.networks` is imported without torchvision

        self.pool = RoIPool((size, size), 1 / stride)

    def forward(self, x: Tensor, rois: Sequence[Tensor]) -> Tensor:
        if len(rois) != len(x):
            raise ValueError(f"{len(x)} images need as many lists of regions, got {len(rois)}")
        precise = x.to(torch.promote_types(x.dtype, torch.float32))  # half precision would round the regions
        last = precise.new_tensor([0.0, 0.0, 1.0, 1.0])
        pooled: Tensor = self.pool(precise, [roi.to(precise) - last for roi in rois])
        return pooled.to(x.dtype)


@final
class RoiBoxes(nn.Module):
    """Class scores and a box per class of every region; (R, in_features, 1, 1) -> RoiOutputs.

    Initialised from N(0, .01) for scores, N(0, .001) for boxes.
    Source: Girshick, Fast R-CNN (ICCV 2015), sections 2.1 and 2.3.

    Args:
        channels: Classes, background included, which is class 0 of the output.

    Raises:
        ValueError: There is no class beside background.
    """

    def __init__(self, in_features: int, channels: int) -> None:
        super().__init__()
        if channels < 2:
            raise ValueError(f"a detector needs at least one class, background not counted, got {channels - 1}")
        self.logits = small_linear(in_features, channels, std=0.01)
        self.deltas = small_linear(in_features, 4 * channels, std=0.001)

    def forward(self, x: Tensor, rois: Sequence[Tensor]) -> RoiOutputs:
        x = x.flatten(1)
        return RoiOutputs(self.logits(x), self.deltas(x), tuple(rois))


@final
class RoiScores(nn.Module):
    """A score per attribute (before the sigmoid) of every region; (R, in_features, 1, 1) -> RoiAttributes."""

    def __init__(self, in_features: int, channels: int) -> None:
        super().__init__()
        if channels < 1:
            raise ValueError(f"an attribute head needs at least one attribute, got {channels}")
        self.logits = small_linear(in_features, channels, std=0.01)

    def forward(self, x: Tensor, rois: Sequence[Tensor]) -> RoiAttributes:
        return RoiAttributes(self.logits(x.flatten(1)), tuple(rois))
