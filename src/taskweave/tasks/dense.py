"""What dense tasks share: outputs (B, C, h, w) of any resolution, targets (..., H, W) with holes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

LossResolution = Literal["eighth", "full"]
"""Where an output meets its target for the loss.

"eighth": at the output's own size, an eighth of the image for the DeepLab networks; the target is sampled (NDDR's code).
"full": at the target's size; the output is enlarged bilinearly, align_corners=False.
"""

PairLoss = Callable[[Tensor, Tensor], Tensor]
"""(prediction, target) -> scalar."""


def check_output(task: str, output: Tensor, channels: int) -> None:
    """Raise ValueError unless `output` is (B, channels, h, w)."""
    if output.ndim != 4 or output.shape[1] != channels:
        raise ValueError(
            f"{task} expects an output (B, {channels}, h, w), got {tuple(output.shape)}; "
            f"build the network with {channels} channels for this task"
        )


def check_target(task: str, output: Tensor, target: Tensor, channels: int | None) -> None:
    """Raise ValueError unless `target` is (B, channels, H, W), or (B, H, W) for None, with the output's batch size."""
    middle = () if channels is None else (channels,)
    if target.ndim != 3 + len(middle) or tuple(target.shape[1:-2]) != middle or len(target) != len(output):
        expected = ", ".join(str(size) for size in (len(output), *middle, "H", "W"))
        raise ValueError(
            f"{task} expects a target ({expected}) for its output {tuple(output.shape)}, got {tuple(target.shape)}; "
            "give the outputs and the targets of the same samples"
        )


def check_resolution(resolution: LossResolution) -> LossResolution:
    """The resolution as given; raise ValueError for any other."""
    if resolution not in ("eighth", "full"):
        raise ValueError(f'loss_resolution is "eighth" or "full", got {resolution!r}')
    return resolution


def precise(value: Tensor) -> Tensor:
    """At least float32: losses and decoding are not computed in half precision."""
    return value.to(torch.promote_types(value.dtype, torch.float32))


def resized(output: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, C, h, w) at `size` (height, width): bilinear, align_corners=False, no antialiasing; at least float32."""
    output = precise(output)
    if tuple(output.shape[-2:]) == tuple(size):
        return output
    return F.interpolate(output, size=tuple(size), mode="bilinear", align_corners=False)


def sampled(target: Tensor, size: tuple[int, int]) -> Tensor:
    """(..., H, W) at `size`: the value at row floor(i H / h), column floor(j W / w); labels and holes are never mixed."""
    rows, columns = (
        torch.arange(new, device=target.device) * old // new for new, old in zip(size, target.shape[-2:], strict=True)
    )
    return target[..., rows[:, None], columns]


def matched(output: Tensor, target: Tensor, resolution: LossResolution) -> tuple[Tensor, Tensor]:
    """Output and target at one resolution, the output at least in float32."""
    if resolution == "full":
        return resized(output, (target.shape[-2], target.shape[-1])), target
    return precise(output), target_of_loss(output, target, resolution)


def target_of_loss(output: Tensor, target: Tensor, resolution: LossResolution) -> Tensor:
    """The target as the loss sees it."""
    return target if resolution == "full" else sampled(target, (output.shape[-2], output.shape[-1]))


def no_loss(output: Tensor) -> Tensor:
    """0 with a gradient of 0, whatever the output holds (0 * inf would be NaN)."""
    return precise(output).flatten()[:0].sum()
