"""How far one box per image lies over the true one, over a whole set of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import torch
from torch import Tensor

from taskweave.metrics.gain import Direction
from taskweave.metrics.metric import PerImageMetric, rows_of
from taskweave.metrics.per_image import Floats, PerImage, check_lengths, weighted_sums

LEAST = 1e-14
"""An area below which a quotient is taken by this instead: boxes of a ten-millionth of the unit a side."""


@final
class BoxOverlap(PerImageMetric):
    """The mean over images of the IoU of the predicted with the true box, "IoU", in percent.

    ``update(prediction, target)``: predictions (B, 1, 4) as x1, y1, x2, y2; targets the same, or one mapping per image with
    "boxes" (1, 4), in the same unit. A sum and a count, so every image of the set weighs the same, whichever batch or
    process it is in (the Pet paper's public code keeps the last batch of its three-task test).
    """

    directions: ClassVar[Mapping[str, Direction]] = {"IoU": "higher"}
    total: Tensor
    images: Tensor
    rows: list[Tensor] | Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("images", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("rows", [], dist_reduce_fx="cat")

    def update(self, prediction: Tensor, target: Tensor | Sequence[Mapping[str, Any]]) -> None:
        guess, truth = prediction, target if isinstance(target, Tensor) else boxes_in(target)
        if guess.shape != truth.shape or tuple(guess.shape[1:]) != (1, 4):
            raise ValueError(
                f"a box IoU expects one box per image and as many predictions as targets, (B, 1, 4), got "
                f"{tuple(guess.shape)} and {tuple(truth.shape)}; give those of the same images"
            )
        each = paired_iou(guess[:, 0].double(), truth[:, 0].to(guess.device).double())
        self.total += each.sum()
        assert isinstance(self.rows, list)  # a tensor only while synchronised, when updates are refused
        self.rows.append(each)
        self.images += len(guess)

    def compute(self) -> dict[str, Tensor]:
        return {"IoU": 100.0 * self.total / self.images}

    def per_image(self) -> BoxIoUImages:
        """The IoU of each image."""
        with self.sync_context(dist_sync_fn=self.dist_sync_fn):
            return BoxIoUImages(rows_of(self.rows, 1)[:, 0])


@final
@dataclass(frozen=True)
class BoxIoUImages(PerImage):
    """One IoU per image, (images,), a share."""

    kind: ClassVar[str] = "box IoU"

    ious: Floats

    def __post_init__(self) -> None:
        check_lengths("BoxIoUImages", {"ious": self.ious}, axes={"ious": 1})

    @property
    def count(self) -> int:
        return len(self.ious)

    def _scores(self, weights: Floats) -> dict[str, Floats]:
        return {"IoU": 100.0 * weighted_sums(weights, self.ious) / weights.sum(1)}


def boxes_in(targets: Sequence[Mapping[str, Any]]) -> Tensor:
    """The "boxes" (1, 4) of the targets of several images, (B, 1, 4)."""
    return torch.stack([target["boxes"].as_subclass(Tensor) for target in targets])


def paired_iou(first: Tensor, second: Tensor) -> Tensor:
    """(...,): shared area over joint area of boxes (..., 4) with x1 <= x2, y1 <= y2; 0 where both have no area.

    Differentiable, with finite gradients for boxes without extent, too.
    """
    low = torch.maximum(first[..., :2], second[..., :2])
    high = torch.minimum(first[..., 2:], second[..., 2:])
    shared = _area((high - low).clamp(min=0))
    joint = _area(first[..., 2:] - first[..., :2]) + _area(second[..., 2:] - second[..., :2]) - shared
    return shared / joint.clamp(min=LEAST)


def _area(sides: Tensor) -> Tensor:
    return sides[..., 0] * sides[..., 1]
