"""Depth: a distance for every pixel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

import torch.nn.functional as F
from torch import Tensor

from taskweave.metrics.depth import DepthErrors, labelled_depth
from taskweave.tasks.checks import (
    LossResolution,
    PairLoss,
    check_output,
    check_resolution,
    check_target,
    matched,
    no_loss,
    resized,
    target_of_loss,
)
from taskweave.tasks.pictures import NO_LABEL, Key, scale_colours, scale_keys
from taskweave.tasks.task import Direction, Named, Task, as_labels, plain

_LOSSES: dict[str, PairLoss] = {"l1": F.l1_loss, "l2": F.mse_loss, "huber": F.huber_loss}


class Depth(Task):
    """Depth estimation: a depth for every pixel.

    Outputs, targets and predictions are metres: (B, 1, h, w), (B, 1, H, W) with 0 for holes, (B, 1, H, W).

    Or inverse depth, where the data hold that (Cityscapes): everything is then in their unit, the metrics too.

    Args:
        labels: With the depth at which pictures reach their last colour.
        loss: The mean over labelled pixels of the absolute difference, its square, or Huber's loss with delta = 1.
        loss_resolution: Where the loss is taken, see `LossResolution`.
    """

    directions: ClassVar[Mapping[str, Direction]] = DepthErrors.directions
    regression: ClassVar[bool] = True

    def __init__(
        self,
        labels: Named = (),
        *,
        loss: Literal["l1", "l2", "huber"] = "l1",
        loss_resolution: LossResolution = "full",
    ) -> None:
        if loss not in _LOSSES:
            raise ValueError(f"the loss of Depth is one of {list(_LOSSES)}, got {loss!r}")
        self.kind = loss
        self.loss_resolution = check_resolution(loss_resolution)
        self.far = as_labels(labels).far

    @property
    def channels(self) -> int:
        return 1

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        check_output("Depth", output, 1)
        check_target("Depth", output, target, 1)
        prediction, truth = matched(output, target, self.loss_resolution)
        valid = labelled_depth(truth)
        return self.pixel_loss(prediction[valid], truth[valid].to(prediction)) if valid.any() else no_loss(output)

    def pixel_loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss between labelled pixels (N,) float32, N >= 1. For a subclass with a loss of its own."""
        return _LOSSES[self.kind](prediction, target)

    def label_count(self, output: Tensor, target: Tensor) -> Tensor:
        """The pixels with a label. Exact for losses that are means over them."""
        return labelled_depth(target_of_loss(output, target, self.loss_resolution)).sum()

    def soft(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        """Metres (B, 1, H, W), enlarged bilinearly; not clipped."""
        check_output("Depth", output, 1)
        return resized(output, size)

    def harden(self, soft: Tensor) -> Tensor:
        return soft

    def metric(self) -> DepthErrors:
        return DepthErrors()

    def numbers(self, target: Any) -> Tensor:
        return plain(target).flatten(1).T

    def constants(self, numbers: Tensor | None) -> list[Tensor]:
        """The mean and the median of all metres."""
        known = numbers if numbers is None else numbers[numbers > 0]
        return [] if known is None or not len(known) else [known.mean()[None], known.median()[None]]

    def picture(self, value: Tensor) -> Tensor:
        """Metres (1, H, W) from violet (0) to yellow (`far` and beyond), holes in black."""
        if value.ndim != 3 or len(value) != 1:
            raise ValueError(f"Depth draws metres (1, H, W), got {tuple(value.shape)}; draw one sample at a time")
        known = labelled_depth(value)
        return scale_colours(value[0].masked_fill(~known[0], 0.0) / self.far) * known

    def legend(self, pictures: Iterable[Tensor]) -> list[Key]:
        return [*scale_keys(self.far), NO_LABEL]
