"""Semantic segmentation: a class for every pixel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, final

import torch
import torch.nn.functional as F
from torch import Tensor

from taskweave.metrics.segmentation import SegmentationScores
from taskweave.tasks.checks import (
    LossResolution,
    PairLoss,
    check_class_numbers,
    check_output,
    check_resolution,
    check_target,
    matched,
    no_loss,
    resized,
    target_of_loss,
)
from taskweave.tasks.pictures import NO_LABEL, Key, keys_seen, label_colours
from taskweave.tasks.task import Direction, Named, Task, as_labels, class_names, plain


@final
class CrossEntropy:
    """Cross-entropy, averaged over the pixels that are not ignored.

    - sum_p w_{y_p} log softmax(logits_p)[y_p] / sum_p w_{y_p} over the pixels p not ignored; w = 1 if not given.

    0 where every labelled pixel has weight 0.
    """

    def __init__(self, classes: int, *, weights: Sequence[float] | Tensor | None = None, ignore: int = 255) -> None:
        self.weights = torch.ones(classes) if weights is None else torch.as_tensor(weights, dtype=torch.float32).cpu()
        self.ignore = ignore
        if self.weights.shape != (classes,) or not (self.weights.isfinite() & (self.weights >= 0)).all():
            raise ValueError(
                f"class_weights must be {classes} finite numbers >= 0, one per class, "
                f"got {tuple(self.weights.shape)}: {self.weights.tolist()}"
            )

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        weights = self.weights.to(logits)
        total = F.cross_entropy(logits, target, weight=weights, ignore_index=self.ignore, reduction="sum")
        mass = weights[target[target != self.ignore]].sum()
        return total / torch.where(mass > 0, mass, 1.0)

    def mass(self, labels: Tensor) -> Tensor:
        """The sum of the weights of labelled pixels (N,): what the loss is divided by."""
        return self.weights.to(labels.device)[labels].sum()


@final
class SummedCrossEntropy:
    """Cross-entropy, summed over the pixels that are not ignored.

    - sum_p log softmax(logits_p)[y_p] over the pixels p of all images that are not ignored.

    Source: Kawakami et al., Cross-connected networks, section 3. It grows with the number and the size of the images.
    """

    def __init__(self, *, ignore: int = 255) -> None:
        self.ignore = ignore

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(logits, target, ignore_index=self.ignore, reduction="sum")


def focal_loss(*, gamma: float = 2.0, ignore: int = 255) -> PairLoss:
    """The focal loss of segmentation_models_pytorch (Lin et al. 2017), one against the rest, the mean over classes."""
    try:
        from segmentation_models_pytorch.losses import FocalLoss
    except ImportError as error:
        raise _missing("focal_loss") from error
    loss: PairLoss = FocalLoss("multiclass", gamma=gamma, ignore_index=ignore)
    return loss


def dice_loss(*, smooth: float = 0.0, ignore: int = 255) -> PairLoss:
    """The Dice loss of segmentation_models_pytorch: 1 - 2 |P T| / (|P| + |T|), the mean over classes; 0 if absent."""
    try:
        from segmentation_models_pytorch.losses import DiceLoss
    except ImportError as error:
        raise _missing("dice_loss") from error
    loss: PairLoss = DiceLoss("multiclass", smooth=smooth, ignore_index=ignore)
    return loss


def _missing(name: str) -> ImportError:
    return ImportError(f"{name} needs segmentation_models_pytorch: pip install taskweave[losses]")


class Segmentation(Task):
    """Semantic segmentation: a class for every pixel.

    Outputs are logits (B, classes, h, w), targets class numbers (B, H, W) from 0, predictions the same.

    Args:
        labels: With the names of the classes, and targets to count class weights on; or the names alone, or how many.
        loss: Of labelled pixels; "focal" and "dice" are segmentation_models_pytorch's.
        summed: Cross-entropy summed over all pixels of a batch instead of averaged (the cross-connected paper).
        class_weights: "median_frequency", counted over the train part (see `median_frequency`), or a number >= 0 for each
            class; of cross-entropy.
        loss_resolution: Where the loss is taken, see `LossResolution`.
        miou: Measure over the whole set, or the mean over images of each image's own scores (see `SegmentationScores`).
        target_class: Also measure the IoU of the class of this name alone, over the whole set, as "IoU".
        image_miou: Also measure, as "image mIoU", the mean over images of each one's mIoU in which an absent class counts
            0.
        ignore: The label of pixels that are not labelled; no class may have it.

    Raises:
        ValueError: `labels` names fewer than two classes, or options do not go together.
        ImportError: A loss is asked for without ``pip install taskweave[losses]``.
    """

    counted: ClassVar[str] = "pixels"

    def __init__(
        self,
        labels: Named,
        *,
        loss: Literal["cross_entropy", "focal", "dice"] = "cross_entropy",
        summed: bool = False,
        class_weights: Literal["none", "median_frequency"] | tuple[float, ...] = "none",
        loss_resolution: LossResolution = "full",
        miou: Literal["dataset", "per_image"] = "dataset",
        target_class: str = "",
        image_miou: bool = False,
        ignore: int = 255,
    ) -> None:
        self.classes = class_names("Segmentation", labels, least=2)
        if 0 <= ignore < len(self.classes):
            raise ValueError(f"ignore={ignore} is one of the {len(self.classes)} classes; choose another, e.g. ignore=-1")
        self.check({"loss": loss, "summed": summed, "class_weights": class_weights})
        self.ignore = ignore
        self.loss_resolution = check_resolution(loss_resolution)
        self.miou, self.target_class, self.image_miou = miou, target_class, image_miou
        self._directions = self.metric().directions
        self._loss = _loss(loss, summed=summed, ignore=ignore) or CrossEntropy(
            len(self.classes), weights=_weights(class_weights, labels, len(self.classes)), ignore=ignore
        )

    @staticmethod
    def check(options: Mapping[str, Any]) -> None:
        """Raise ValueError for a sum, or for class weights, of another loss than cross-entropy."""
        plain_loss, weighted = options["loss"] == "cross_entropy", options["class_weights"] != "none"
        if options["summed"] and (not plain_loss or weighted):
            raise ValueError("summed is of cross-entropy without class weights; leave it out, or loss and class_weights")
        if weighted and not plain_loss:
            raise ValueError(f"class_weights are those of cross-entropy, got loss={options['loss']!r}; leave one out")

    @property
    def directions(self) -> Mapping[str, Direction]:
        return self._directions

    @property
    def channels(self) -> int:
        return len(self.classes)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        check_output("Segmentation", output, self.channels)
        check_target("Segmentation", output, target, None)
        check_class_numbers("Segmentation", target, self.classes, ignore=self.ignore)
        logits, labels = matched(output, target.long(), self.loss_resolution)
        return self.pixel_loss(logits, labels) if (labels != self.ignore).any() else no_loss(output)

    def pixel_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss between logits (B, C, h, w) float32 and labels (B, h, w) int64; for a subclass with its own loss."""
        return self._loss(logits, labels)

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

    def metric(self) -> SegmentationScores:
        return SegmentationScores(
            self,
            ignore=self.ignore,
            per_image=self.miou == "per_image",
            target_class=self.target_class,
            image_miou=self.image_miou,
        )

    def numbers(self, target: Any) -> Tensor:
        return plain(target).flatten()

    def constants(self, numbers: Tensor | None) -> list[Tensor]:
        """The most frequent class."""
        return most_frequent(numbers, len(self.classes))

    def picture(self, value: Tensor) -> Tensor:
        """Class numbers (H, W) in fixed colours, what is ignored in black."""
        if value.ndim != 2:
            raise ValueError(
                f"Segmentation draws class numbers (H, W), got {tuple(value.shape)}; draw one sample at a time"
            )
        colours = label_colours(len(self.classes)).to(value.device)
        black = (value < 0) | (value >= len(self.classes))
        return colours[value.long().masked_fill(black, len(self.classes))].permute(2, 0, 1)

    def legend(self, pictures: Iterable[Tensor]) -> list[Key]:
        return [*keys_seen(self.classes, pictures), NO_LABEL]


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


def most_frequent(numbers: Tensor | None, classes: int) -> list[Tensor]:
    """The most frequent of class numbers (N,), those outside 0..classes - 1 left out; [] of none."""
    known = numbers if numbers is None else numbers[(numbers >= 0) & (numbers < classes)]
    return [] if known is None or not len(known) else [known.mode().values]


def _loss(name: str, *, summed: bool, ignore: int) -> PairLoss | None:
    """None for the mean cross-entropy."""
    if name == "cross_entropy":
        return SummedCrossEntropy(ignore=ignore) if summed else None
    return focal_loss(ignore=ignore) if name == "focal" else dice_loss(ignore=ignore)


def _weights(chosen: str | Sequence[float], labels: Named, classes: int) -> Sequence[float] | Tensor | None:
    if not isinstance(chosen, str):
        return chosen
    targets = as_labels(labels).targets
    return None if chosen == "none" or targets is None else median_frequency(_counted(targets(), classes))


def _counted(targets: Iterator[Any], classes: int) -> Tensor:
    """(labelled images, classes): labelled pixels of each class in each image."""
    counts: list[Tensor] = []
    for target in targets:
        flat = plain(target).flatten()
        counts.append(torch.bincount(flat[flat < classes], minlength=classes))
    if not counts:
        raise ValueError("class weights are counted on the train part, but none of its images has a segmentation")
    return torch.stack(counts)
