"""Semantic segmentation: a class for every pixel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from taskweave.tasks.class_numbers import check_class_numbers, few, names_of
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
from taskweave.tasks.palette import label_colours
from taskweave.tasks.segmentation_losses import CrossEntropy, SummedCrossEntropy
from taskweave.tasks.task import Direction, Task

if TYPE_CHECKING:
    from torchmetrics import Metric


@final
class Segmentation(Task):
    """Outputs are logits (B, classes, h, w), targets class numbers (B, H, W) from 0, predictions the same.

    classes: their names, or how many there are.
    ignore: the label of pixels that are not labelled; no class may have it.
    loss: ``loss(logits (B, C, h, w) float32, target (B, h, w) int64) -> scalar``, told of `ignore` by its maker; never
        called without a labelled pixel. Default: cross-entropy, the mean over labelled pixels. Others:
        `SummedCrossEntropy`, `focal_loss`, `dice_loss`.
    class_weights: one weight >= 0 per class for the default loss, e.g. `median_frequency(counts)`.
    loss_resolution: "eighth" (the logits' own size, labels sampled) or "full" (the labels' size, logits bilinear).
    per_image: average the metrics over images instead of the whole set (see `SegmentationMetric`).
    target_class: also measure the IU of the class of this name alone, over the whole set, as "IoU".
    image_miou: also measure the mean over images of each image's mIoU in which an absent class counts 0 (see there).
    """

    def __init__(
        self,
        classes: Sequence[str] | int,
        *,
        ignore: int = 255,
        loss: PairLoss | None = None,
        class_weights: Sequence[float] | Tensor | None = None,
        loss_resolution: LossResolution = "eighth",
        per_image: bool = False,
        target_class: str | None = None,
        image_miou: bool = False,
    ) -> None:
        self.classes = names_of("Segmentation", classes)
        if target_class is not None and target_class not in self.classes:
            raise ValueError(f"target_class={target_class!r} is none of the classes {few(self.classes)}; give one of them")
        self.target_class = None if target_class is None else self.classes.index(target_class)
        if 0 <= ignore < len(self.classes):
            raise ValueError(f"ignore={ignore} is one of the {len(self.classes)} classes; choose another, e.g. ignore=-1")
        if loss is not None and class_weights is not None:
            raise ValueError("class_weights are those of the default loss; give them to the maker of your own loss instead")
        self.ignore = ignore
        self.loss_resolution = check_resolution(loss_resolution)
        self.per_image, self.image_miou = per_image, image_miou
        self._loss = loss if loss is not None else CrossEntropy(len(self.classes), weights=class_weights, ignore=ignore)

    @property
    def directions(self) -> Mapping[str, Direction]:
        further = {"IoU": self.target_class is not None, "image mIoU": self.image_miou}
        return dict.fromkeys(("mIoU", "pixacc", "fwIU", *(name for name, wanted in further.items() if wanted)), "higher")

    @property
    def channels(self) -> int:
        return len(self.classes)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        check_output("Segmentation", output, self.channels)
        check_target("Segmentation", output, target, None)
        check_class_numbers("Segmentation", target, self.classes, ignore=self.ignore)
        logits, labels = matched(output, target.long(), self.loss_resolution)
        return self._loss(logits, labels) if (labels != self.ignore).any() else no_loss(output)

    def label_count(self, output: Tensor, target: Tensor) -> Tensor:
        """The pixels with a label, times their classes' weights. Exact for the default loss and other means over pixels."""
        labels = target_of_loss(output, target.long(), self.loss_resolution)
        labels = labels[labels != self.ignore]
        return self._loss.mass(labels) if isinstance(self._loss, CrossEntropy) else (labels >= 0).sum()

    @property
    def adds_up(self) -> bool:
        return isinstance(self._loss, SummedCrossEntropy)

    def soft(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        """Probabilities (B, C, H, W): the softmax of the logits enlarged bilinearly."""
        check_output("Segmentation", output, self.channels)
        return resized(output, size).softmax(1)

    def harden(self, soft: Tensor) -> Tensor:
        """The most probable class of each pixel, int64 (B, H, W)."""
        return soft.argmax(1)

    def metric(self) -> Metric:
        from taskweave.metrics.segmentation import SegmentationMetric

        return SegmentationMetric(
            len(self.classes),
            ignore=self.ignore,
            per_image=self.per_image,
            target_class=self.target_class,
            image_miou=self.image_miou,
        )

    def picture(self, value: Tensor) -> Tensor:
        """Class numbers (H, W) in fixed colours, what is ignored in black."""
        if value.ndim != 2:
            raise ValueError(
                f"Segmentation draws class numbers (H, W), got {tuple(value.shape)}; draw one sample at a time"
            )
        colours = label_colours(len(self.classes)).to(value.device)
        black = (value < 0) | (value >= len(self.classes))
        return colours[value.long().masked_fill(black, len(self.classes))].permute(2, 0, 1)


def median_frequency(counts: Tensor) -> Tensor:
    """Weights that make rare classes count more: w_c = median(f) / f_c; Eigen and Fergus (2015), section 6.3.2.

    counts (images, C): pixels of each class in each image. f_c = the pixels of c / all labelled pixels of the images in
        which c appears. counts (C,): pixels over the whole set; then f_c = n_c / sum_j n_j, the plain frequency.
    The median (the mean of the middle two of an even number) is over the classes that appear; others get weight 0.
    Returns float32 (C,).
    """
    if counts.ndim not in (1, 2) or (counts < 0).any() or not (counts > 0).any():
        raise ValueError(
            "median_frequency expects pixel counts (C,) or (images, C), none negative and not all 0, "
            f"got {counts.tolist() if counts.ndim < 2 else tuple(counts.shape)}"
        )
    rows = counts.double().reshape(-1, counts.shape[-1])
    appears = rows > 0 if counts.ndim == 2 else torch.ones_like(rows, dtype=torch.bool)
    present = rows.sum(0) > 0
    frequency = rows.sum(0)[present] / (rows.sum(1, keepdim=True) * appears).sum(0)[present]
    weights = torch.zeros(counts.shape[-1], dtype=torch.float64)
    weights[present] = frequency.quantile(0.5) / frequency
    return weights.float()
