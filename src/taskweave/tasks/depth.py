"""Depth: a distance for every pixel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

import torch.nn.functional as F
from torch import Tensor

from taskweave.metrics.depth_errors import labelled_depth
from taskweave.tasks.dense import (
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
from taskweave.tasks.palette import scale_colours
from taskweave.tasks.task import Direction, Task

if TYPE_CHECKING:
    from torchmetrics import Metric


@final
class Depth(Task):
    """Outputs, targets and predictions are metres: (B, 1, h, w), (B, 1, H, W) with 0 for holes, (B, 1, H, W).

    Or inverse depth, where the data hold that (Cityscapes): everything is then in their unit, the metrics too.

    loss: ``loss(prediction (N,) float32, target (N,)) -> scalar`` over the labelled pixels; default their mean absolute
        difference (L1). Never called without a labelled pixel.
    loss_resolution: "eighth" (the output's own size, depth sampled) or "full" (the label's size, output bilinear).
    far: the depth at which pictures reach their last colour, in metres or in the unit of the data.
    """

    directions: ClassVar[Mapping[str, Direction]] = {"abs": "lower", "rel": "lower", "rmse": "lower"}

    def __init__(
        self, *, loss: PairLoss | None = None, loss_resolution: LossResolution = "eighth", far: float = 10.0
    ) -> None:
        if not far > 0:
            raise ValueError(f"far is a depth in metres above 0, got {far}")
        self.loss_resolution = check_resolution(loss_resolution)
        self.far = far
        self._loss: PairLoss = loss if loss is not None else F.l1_loss

    @property
    def channels(self) -> int:
        return 1

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        check_output("Depth", output, 1)
        check_target("Depth", output, target, 1)
        prediction, truth = matched(output, target, self.loss_resolution)
        valid = labelled_depth(truth)
        return self._loss(prediction[valid], truth[valid].to(prediction)) if valid.any() else no_loss(output)

    def label_count(self, output: Tensor, target: Tensor) -> Tensor:
        """The pixels with a label. Exact for losses that are means over them."""
        return labelled_depth(target_of_loss(output, target, self.loss_resolution)).sum()

    def soft(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        """Metres (B, 1, H, W), enlarged bilinearly; not clipped."""
        check_output("Depth", output, 1)
        return resized(output, size)

    def harden(self, soft: Tensor) -> Tensor:
        return soft

    def metric(self) -> Metric:
        from taskweave.metrics.depth import DepthMetric

        return DepthMetric()

    def picture(self, value: Tensor) -> Tensor:
        """Metres (1, H, W) from violet (0) to yellow (`far` and beyond), holes in black."""
        if value.ndim != 3 or len(value) != 1:
            raise ValueError(f"Depth draws metres (1, H, W), got {tuple(value.shape)}; draw one sample at a time")
        known = labelled_depth(value)
        return scale_colours(value[0].masked_fill(~known[0], 0.0) / self.far) * known
