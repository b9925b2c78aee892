"""One box per image, regressed: where the head of the animal is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, final

import torch
from torch import Tensor
from torchvision import tv_tensors

from taskweave.metrics.whole_images import LEAST, BoxOverlap, boxes_in, paired_iou
from taskweave.tasks.checks import check_answers, check_target_count, no_loss, precise
from taskweave.tasks.detection import as_boxes
from taskweave.tasks.pictures import draw_boxes, lines_over
from taskweave.tasks.task import Direction, Form, Task, plain

BoxLoss = Literal["diou", "diou_as_printed"]
"""The distance penalty of the loss; d is the diagonal of the smallest box that holds both, r the distance of the centres.

"diou": r^2 / d^2, which does not depend on the boxes' scale; Zheng et al., Distance-IoU loss (AAAI 2020), eq. 7.
"diou_as_printed": r / d^2, as the Pet paper's eq. 2 has it, seemingly by mistake. It falls as 1 / scale: in pixels it is
    next to nothing for large boxes; relative to the image it may well exceed 1.
"""

BoxUnit = Literal["relative", "pixels"]
"""What a network's four numbers count: shares of the image's width and height, or pixels of the network's input."""

_ROUNDING = 1e-5


@final
class BoxRegression(Task):
    """Box regression: the box of the one object in an image.

    Outputs (B, 4) are two opposite corners x, y, x, y in `unit`; the prediction is the box that they span.

    Targets, one mapping per image: "boxes" (1, 4) as x1, y1, x2, y2 in pixels and "size" (2,) = (H, W) of the image, as
    `taskweave.data.sample.collate` makes them of a sample's BoundingBoxes. Predictions (B, 1, 4) are in pixels. An image
    without a box has no label.

    Deviation: the order of the corners is free, since a box that ends before it begins would have no gradient from its IoU.

    Args:
        loss: See `BoxLoss`; in `unit`, the mean over images.
        unit: "relative" (targets are divided by the image's width and height for the loss) or "pixels" (the Pet paper's
            code). On images that are not square the penalty of the two differs.
    """

    reads: ClassVar[Form] = "numbers"
    dense: ClassVar[bool] = False
    directions: ClassVar[Mapping[str, Direction]] = BoxOverlap.directions

    def __init__(self, *, loss: BoxLoss = "diou", unit: BoxUnit = "relative") -> None:
        if loss not in ("diou", "diou_as_printed") or unit not in ("relative", "pixels"):
            raise ValueError(
                'BoxRegression has loss "diou" or "diou_as_printed" and unit "relative" or "pixels", '
                f"got {loss!r} and {unit!r}"
            )
        self.kind, self.unit = loss, unit

    @property
    def channels(self) -> int:
        return 4

    def loss(self, output: Tensor, target: Sequence[Mapping[str, Any]]) -> Tensor:
        check_answers("BoxRegression", output, 4)
        if not len(output) and not len(target):
            return no_loss(output)
        truth = self._truth(target, output)
        return distance_iou_loss(spanned(precise(output)), truth, kind=self.kind).mean()

    def soft(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        """Boxes (B, 1, 4) in pixels of an image of `size`, not clipped to it."""
        check_answers("BoxRegression", output, 4)
        boxes = spanned(precise(output))[:, None]
        return boxes * _sides(torch.tensor([size], device=boxes.device)) if self.unit == "relative" else boxes

    def harden(self, soft: Tensor) -> Tensor:
        return soft

    def metric(self) -> BoxOverlap:
        return BoxOverlap()

    def numbers(self, target: tv_tensors.BoundingBoxes) -> Tensor:
        """The box relative to its image, (1, 4)."""
        return plain(target) / _sides_of(target)

    def constants(self, numbers: Tensor | None) -> list[Tensor]:
        """The mean and the median of each side, relative to the image."""
        return [] if numbers is None else [numbers.mean(0), numbers.median(0).values]

    def constant_answer(self, constant: Tensor, target: tv_tensors.BoundingBoxes) -> tuple[Tensor, Tensor]:
        label = plain(target)[None]
        return (constant * _sides_of(target)).expand(label.shape), label

    def picture(self, value: Tensor) -> Tensor:
        """The box's outline on black; as large as its image where it knows that (BoundingBoxes), else just large enough."""
        if isinstance(value, tv_tensors.BoundingBoxes):
            return _outline(value, value.canvas_size)
        far = [max(1, int(side) + 1) for side in value.reshape(-1, 4)[:, 2:].amax(0).tolist()]
        return _outline(value, (far[1], far[0]))

    def over(self, image: Tensor, value: Tensor) -> Tensor:
        """The box's outline over its image, which is darkened."""
        return lines_over(image, _outline(value, (int(image.shape[-2]), int(image.shape[-1]))))

    def _truth(self, targets: Sequence[Mapping[str, Any]], output: Tensor) -> Tensor:
        """The true boxes (B, 4) in `unit`."""
        check_target_count("BoxRegression", targets, len(output))
        for index, target in enumerate(targets):
            _check_form(index, target)
        boxes = boxes_in(targets)[:, 0].to(output.device, torch.float32)
        _check_numbers(boxes)
        if self.unit == "pixels":
            return boxes
        relative = boxes / _sides(torch.stack([target["size"] for target in targets]).to(output.device))
        if (outside := ((relative < -_ROUNDING) | (relative > 1 + _ROUNDING)).any(1)).any():
            raise ValueError(
                f"a box relative to its image lies within 0..1, got {relative[outside][0].tolist()} "
                f"({boxes[outside][0].tolist()} in pixels); clip it when reading the data, or leave the label out"
            )
        return relative


def _check_form(index: int, target: Mapping[str, Any]) -> None:
    if "boxes" not in target or "size" not in target or tuple(target["boxes"].shape) != (1, 4):
        got = {name: tuple(value.shape) for name, value in target.items()}
        raise ValueError(
            f"BoxRegression expects targets with boxes (1, 4) and size (2,), got {got} for image {index}; give samples "
            "BoundingBoxes with one box, and leave the label out where there is none"
        )


def _check_numbers(boxes: Tensor) -> None:
    """All at once: on an accelerator each question of a tensor's values is a wait."""
    wrong = ~boxes.isfinite().all(1) | (boxes[:, 2:] < boxes[:, :2]).any(1)
    if wrong.any():
        index = int(wrong.nonzero()[0])
        raise ValueError(
            f"BoxRegression expects a box x1 <= x2, y1 <= y2 of finite numbers, got {boxes[index].tolist()} for image "
            f"{index}; repair it when reading the data, or leave the label out"
        )


def _sides(sizes: Tensor) -> Tensor:
    """(B, 4) W, H, W, H of sizes (B, 2) = H, W, float32."""
    return sizes.flip(-1).repeat(1, 2).float()


def _outline(box: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(box.shape) != (1, 4):
        raise ValueError(f"BoxRegression draws one box (1, 4), got {tuple(box.shape)}; draw one sample at a time")
    return draw_boxes({"boxes": as_boxes(box.as_subclass(Tensor).nan_to_num(), size)}, torch.ones(1), classes=1, shown=0.0)


def _sides_of(box: tv_tensors.BoundingBoxes) -> Tensor:
    height, width = box.canvas_size
    return torch.tensor([width, height, width, height])


def distance_iou_loss(prediction: Tensor, target: Tensor, *, kind: BoxLoss = "diou") -> Tensor:
    """1 - IoU + penalty, (...,): boxes (..., 4) as x1, y1, x2, y2 with x1 <= x2, y1 <= y2, in one unit. See `BoxLoss`.

    "diou" is in [0, 2), 0 for equal boxes. Boxes without extent have an IoU of 0; value and gradients are finite, also for
    two equal points, whose penalty is 0.

    >>> round(float(distance_iou_loss(torch.tensor([0., 0, 2, 2]), torch.tensor([1., 1, 3, 3]))), 6)
    0.968254
    """
    low = torch.minimum(prediction[..., :2], target[..., :2])
    high = torch.maximum(prediction[..., 2:], target[..., 2:])
    diagonal = (high - low).square().sum(-1).clamp(min=LEAST)
    apart = ((prediction[..., :2] - target[..., :2]) + (prediction[..., 2:] - target[..., 2:])) / 2
    # the gradient of vector_norm is 0 at 0, where that of a plain square root is infinite
    distance = apart.square().sum(-1) if kind == "diou" else torch.linalg.vector_norm(apart, dim=-1)
    return 1.0 - paired_iou(prediction, target) + distance / diagonal


def spanned(corners: Tensor) -> Tensor:
    """(..., 4): the box with two given opposite corners, x1 <= x2 and y1 <= y2, whichever corners they are."""
    first, second = corners[..., :2], corners[..., 2:]
    return torch.cat([torch.minimum(first, second), torch.maximum(first, second)], -1)
