"""What tasks refuse, and what dense ones share: outputs (B, C, h, w) of any resolution, targets (..., H, W) with holes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from taskweave.metrics.refusals import few


def check_class_numbers(task: str, target: Tensor, names: tuple[str, ...], *, ignore: int | None = None) -> None:
    """Raise ValueError for a target that is no integer, none of the classes and not `ignore`."""
    if target.is_floating_point():
        raise ValueError(f"{task} expects integer class numbers as target, got {target.dtype}")
    outside = (target < 0) | (target >= len(names))
    if ignore is not None:
        outside = outside & (target != ignore)
    if outside.any():
        ignored = "" if ignore is None else f"; ignored: {ignore}"
        raise ValueError(
            f"label {int(target[outside][0])} is outside the {len(names)} classes ({few(names)}{ignored}); "
            f"map it when reading the data, or build {task} with all classes"
        )


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


def check_target_count(task: str, targets: Sequence[Mapping[str, Any]], images: int) -> None:
    """Raise ValueError unless the targets are a sequence of mappings, one per image."""
    plural = isinstance(targets, Sequence) and all(isinstance(target, Mapping) for target in targets)
    if not plural or len(targets) != images:
        got = f"{len(targets)} targets" if plural else type(targets).__name__
        raise ValueError(
            f"{task} expects one mapping per image as target, {images} here, got {got}; give the outputs and the "
            "targets of the same samples"
        )


def check_box_targets(task: str, targets: Sequence[Mapping[str, Any]], images: int, classes: int) -> None:
    """Raise ValueError unless there is a target with boxes (n, 4) and labels (n,) in 1..classes for every image."""
    check_target_count(task, targets, images)
    for index, target in enumerate(targets):
        if "boxes" not in target or "labels" not in target:
            raise ValueError(
                f"{task} expects targets with boxes and labels, got {sorted(target)} for image {index}; targets of sampled "
                "regions are RoiDetection's"
            )
        boxes, labels = target["boxes"].as_subclass(Tensor), target["labels"]
        if boxes.ndim != 2 or boxes.shape[1] != 4 or labels.shape != boxes.shape[:1]:
            raise ValueError(
                f"{task} expects boxes (n, 4) and labels (n,), got {tuple(boxes.shape)} and {tuple(labels.shape)} for "
                f"image {index}; give every box a label"
            )
        flat = ~((boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1]))
        if flat.any():
            raise ValueError(
                f"{task} expects boxes x1, y1, x2, y2 with an extent, got {boxes[flat][0].tolist()} for image {index}; "
                "drop such boxes when reading the data"
            )
        check_labels(task, labels, low=1, classes=classes)


def check_labels(task: str, labels: Tensor, *, low: int, classes: int) -> None:
    """Raise ValueError for a label outside low..classes."""
    if labels.is_floating_point() or labels.dtype == torch.bool:
        raise ValueError(f"{task} expects integer labels, got {labels.dtype}; store class numbers as int64")
    outside = (labels < low) | (labels > classes)
    if outside.any():
        raise ValueError(
            f"label {int(labels[outside][0])} is outside {low}..{classes} of {task} (0 is background); map it when reading "
            "the data, or build the task with all classes"
        )


def check_rois(task: str, image: Tensor, rois: Sequence[Tensor] | None) -> tuple[Tensor, list[Tensor]]:
    """Return (images, regions per image).

    Raises:
        ValueError: There are no regions, or not as many as images.
    """
    if rois is None or len(rois) != len(image):
        got = "none" if rois is None else f"those of {len(rois)}"
        raise ValueError(
            f"{task} expects regions of interest for each of {len(image)} images, got {got}; put SampleRois, AllRois or "
            "TargetRois into the data's transform"
        )
    return image, list(rois)


def joined(task: str, name: str, targets: Sequence[Mapping[str, Any]], rois: Sequence[Tensor], like: Tensor) -> Tensor:
    """The targets' values of that name, of all regions of all images in a row, on the output's device."""
    check_target_count(task, targets, len(rois))
    for index, (target, regions) in enumerate(zip(targets, rois, strict=True)):
        if name not in target:
            raise ValueError(
                f"{task} expects {name} of sampled regions as target, got {sorted(target)} for image {index}; put "
                "taskweave.data.SampleRois into the training data's transform"
            )
        if len(target[name]) != len(regions):
            raise ValueError(
                f"{task} expects {name} of {len(regions)} regions, got {tuple(target[name].shape)} for image {index}; give "
                "the targets of the regions that the network saw"
            )
    return torch.cat([target[name].to(like.device) for target in targets])


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
