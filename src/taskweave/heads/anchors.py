"""Anchors, the same boxes at every cell of a feature map; the head that refines them; how heads code boxes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from math import isfinite
from typing import Annotated, ClassVar, final

import torch
from annotated_types import Gt, Len
from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.heads.layers import AnchorOutputs, ConvReLU, Count, Head

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


Sizes = Annotated[tuple[Annotated[float, Gt(0)], ...], Len(1)]


@final
@dataclass(frozen=True)
class Anchors:
    """One box for every height and every ratio, centred on each cell.

    Args:
        heights: In pixels.
        ratios: Width over height; width = ratio * height.

    Raises:
        ValueError: Either is empty or holds a number that is not positive.
    """

    heights: tuple[float, ...]
    ratios: tuple[float, ...]

    def __post_init__(self) -> None:
        for name, values in (("heights", self.heights), ("ratios", self.ratios)):
            if not values or not all(isfinite(value) and value > 0 for value in values):
                raise ValueError(f"{name} of anchors are positive numbers, at least one, got {tuple(values)}")

    @property
    def count(self) -> int:
        """How many there are at a cell."""
        return len(self.heights) * len(self.ratios)

    def on_grid(self, size: tuple[int, int], stride: int, device: torch.device) -> Tensor:
        """(h w count, 4) boxes x1, y1, x2, y2 in pixels, float32, for a map of `size` (h, w): by row, column, anchor.

        Cell (i, j) is centred on the pixel position ((j + 1/2) stride, (i + 1/2) stride): what 2x2 pools see.
        """
        shapes = [(ratio * height, height) for height in self.heights for ratio in self.ratios]
        half = torch.tensor([(-w / 2, -h / 2, w / 2, h / 2) for w, h in shapes], device=device)
        y = (torch.arange(size[0], device=device) + 0.5) * stride
        x = (torch.arange(size[1], device=device) + 0.5) * stride
        rows, columns = torch.meshgrid(y, x, indexing="ij")
        centres = torch.stack([columns, rows, columns, rows], -1)
        return (centres[:, :, None] + half).reshape(-1, 4)


PEDESTRIANS = Anchors(tuple(40 * 1.3**k for k in range(9)), (0.41,))
"""One ratio, .41, and nine scales: 40 to 326 pixels high, each 1.3 times the last.

Source: Zhang et al., Is Faster R-CNN doing well for pedestrian detection? (ECCV 2016), section 3.1; the cross-connected
paper says only that its detector is a region proposal network.
"""

NINE_SCALES = tuple(round(height, 3) for height in PEDESTRIANS.heights)
"""Those of `PEDESTRIANS` to a thousandth of a pixel: the heights of anchors unless others are chosen."""

BIRDS = Anchors(tuple(12 * 2 ** (k / 2) for k in range(7)), (0.5, 1.0, 2.0))
"""12 to 96 pixels high, wings spread or not. Our choice: the cross-connected paper gives no anchors for birds."""


@final
class AnchorHead(Head):
    """3x3 convolution, then class scores and box differences of every anchor; (B, C, h, w) -> AnchorOutputs.

    New layers are initialised from N(0, .01), biases with 0.
    Source: Ren et al., Faster R-CNN (NeurIPS 2015), section 3.1. Their two scores, object or not, are channels=2.

    Args:
        shape: Shape of the feature that is read, with its stride.
        channels: Classes, background included, which is class 0 of the output.
        heights: Of the anchors, in pixels of the input.
        ratios: Of the anchors, width over height.
        hidden: Channels of the 3x3 convolution.

    Raises:
        ValueError: There is no class beside background, or the stride of the feature is not known.
    """

    last: ClassVar[tuple[str, ...]] = ("logits", "deltas")

    def __init__(
        self,
        shape: FeatureShape,
        channels: int,
        *,
        heights: Sizes = NINE_SCALES,
        ratios: Sizes = (0.41,),
        hidden: Count = 512,
    ) -> None:
        super().__init__(shape, channels)
        if channels < 2:
            raise ValueError(f"a detector needs at least one class, background not counted, got {channels - 1}")
        if shape.stride < 1:
            raise ValueError(f"anchors lie on the grid of a feature whose stride is known, got {shape!r}")
        self.anchors = Anchors(tuple(heights), tuple(ratios))
        self.stride = shape.stride
        self.channels = channels
        self.conv = ConvReLU(shape.channels, hidden, kernel_size=3)
        self.logits = nn.Conv2d(hidden, self.anchors.count * channels, 1)
        self.deltas = nn.Conv2d(hidden, self.anchors.count * 4, 1)
        for layer in (self.conv.conv, self.logits, self.deltas):
            nn.init.normal_(layer.weight, std=0.01)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)

    def finish(self, x: Tensor) -> AnchorOutputs:
        x = self.conv(x)
        anchors = self.anchors.on_grid((x.shape[-2], x.shape[-1]), self.stride, x.device)
        return AnchorOutputs(_by_anchor(self.logits(x), self.channels), _by_anchor(self.deltas(x), 4), anchors)


def _by_anchor(x: Tensor, values: int) -> Tensor:
    """(B, count * values, h, w) -> (B, h w count, values), in the order of `Anchors.on_grid`."""
    return x.permute(0, 2, 3, 1).reshape(len(x), -1, values)


def proposals_of(
    output: AnchorOutputs, size: tuple[int, int], *, count: int = 300, nms: float = 0.7, before: int = 2000
) -> list[Tensor]:
    """Proposals without class labels: the likeliest objects of each image.

    An anchor's score is one minus its probability of background. The `before` best are clipped to the image, those less
    than a pixel wide or high left out, and those that overlap a better one by more than `nms` (IoU) suppressed.

    Args:
        output: Of `AnchorHead`.
        size: (H, W) of the images.
        count: The most proposals per image.
        nms: The largest overlap (IoU) of two proposals.
        before: How many of the best anchors are looked at.

    Returns:
        One tensor (p, 4) per image, p <= `count`, best first.
    """
    from torchvision.ops import clip_boxes_to_image, nms as suppress, remove_small_boxes

    scores = 1 - output.logits.float().softmax(-1)[..., 0]
    boxes = clip_boxes_to_image(decode_boxes(output.deltas, output.anchors), size)
    proposals = []
    for of_image, score in zip(boxes, scores, strict=True):
        best = score.argsort(descending=True, stable=True)[:before]
        best = best[remove_small_boxes(of_image[best], 1.0)]
        kept = best[suppress(of_image[best], score[best].to(of_image.dtype), nms)][:count]
        proposals.append(of_image[kept].detach())
    return proposals
