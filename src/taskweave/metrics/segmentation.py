"""How good a segmentation is, over a whole set of images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics.functional.classification import multiclass_confusion_matrix

from taskweave.metrics.gain import Direction
from taskweave.metrics.metric import PerImageMetric
from taskweave.metrics.per_image import Floats, PerImage, weighted_sums
from taskweave.metrics.refusals import Classes, check_inside, class_names, few, same_shape


@final
class SegmentationScores(PerImageMetric):
    """mIoU, pixacc and fwIU in percent, from one confusion matrix of the whole set (FCN definitions).

    ``update(prediction, target)``: (B, H, W) class numbers each. Sums only, so neither batches nor processes matter.

    Absent classes (neither labelled nor predicted in any counted pixel) are left out of mIoU; `absent` says how many.

    Args:
        task: With the classes, their names, or how many.
        ignore: The label of pixels that do not count.
        per_image: Instead the mean over images of each image's own three scores; images without a labelled pixel are left
            out. Often several points lower or higher than over the set: the two are not comparable.
        target_class: Also the IU of the class of this name alone, over the whole set, as "IoU"; NaN where it is absent.
        image_miou: Also, as "image mIoU", the mean over images of the mean over *all* classes of an image's IUs, where the
            IU of a class that is absent from the image (0/0) counts 0. Images without a labelled pixel are left out. The
            Pet paper's public code measures its two classes so; an image without one of them has at most 50.
    """

    counts: Tensor
    image_scores: Tensor
    image_mious: Tensor
    images: Tensor

    def __init__(
        self,
        task: Classes,
        *,
        ignore: int = 255,
        per_image: bool = False,
        target_class: str = "",
        image_miou: bool = False,
    ) -> None:
        super().__init__()
        names = class_names(task)
        if target_class and target_class not in names:
            raise ValueError(f"target_class={target_class!r} is none of the classes {few(names)}; give one of them")
        classes = self.classes = len(names)
        self.target_class = names.index(target_class) if target_class else None
        self.ignore, self.of_images, self.image_miou = ignore, per_image, image_miou
        self.add_state("counts", torch.zeros(classes, classes, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("image_scores", torch.zeros(3, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("image_mious", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("images", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_rows("each")

    @property
    def directions(self) -> Mapping[str, Direction]:
        further = {"IoU": self.target_class is not None, "image mIoU": self.image_miou}
        return dict.fromkeys(("mIoU", "pixacc", "fwIU", *(name for name, wanted in further.items() if wanted)), "higher")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        each = confusion_matrix(prediction, target, classes=self.classes, ignore=self.ignore)
        self.counts += each.sum(0)
        scores = segmentation_scores(each)
        labelled = each.sum((1, 2)) > 0
        self.image_scores += scores[labelled].sum(0)
        self.image_mious += class_iou(each[labelled]).nan_to_num(0.0).mean(-1).sum()
        self.images += labelled.sum()
        self.keep("each", torch.stack([each.diagonal(dim1=1, dim2=2), each.sum(2), each.sum(1)], 1))

    def compute(self) -> dict[str, Tensor]:
        scores = self.image_scores / self.images if self.of_images else segmentation_scores(self.counts)
        named = dict(zip(("mIoU", "pixacc", "fwIU"), scores.unbind(), strict=True))
        if self.target_class is not None:
            named["IoU"] = class_iou(self.counts)[self.target_class]
        if self.image_miou:
            named["image mIoU"] = self.image_mious / self.images
        return named

    def per_class(self) -> Tensor:
        """(classes,) IU of each class over the whole set in percent; NaN for an absent class."""
        with self.everywhere():
            return class_iou(self.counts)

    def class_scores(self) -> dict[str, Tensor]:
        """The classes' IU over the whole set, whose mean mIoU is; "IoU" where mIoU is a mean over images."""
        return {"IoU" if self.of_images else "mIoU": self.per_class()}

    def per_image(self) -> SegmentationImages:
        """The pixel counts of each image by class."""
        with self.everywhere():
            rows = self.rows("each", 3 * self.classes).numpy().reshape(-1, 3, self.classes)
        target = -1 if self.target_class is None else self.target_class
        return SegmentationImages(rows[:, 0], rows[:, 1], rows[:, 2], self.of_images, target, self.image_miou)

    @property
    def absent(self) -> int:
        """How many classes are neither labelled nor predicted, and so no part of mIoU."""
        return int(self.per_class().isnan().sum())


@final
@dataclass(frozen=True)
class SegmentationImages(PerImage):
    """Each image's pixel counts by class: all that mIoU, pixacc and fwIU need (Long et al. 2015, section 5).

    Pixels with the label `ignore` are left out of all counts.

    Args:
        right: (images, classes) pixels labelled and predicted as the class.
        labelled: (images, classes) pixels labelled as the class.
        predicted: (images, classes) pixels predicted as the class.
        of_images: Whether mIoU, pixacc and fwIU are means over the images' own scores, as in `SegmentationScores`.
        target_class: The class whose IU is "IoU"; -1 for none.
        image_miou: Whether "image mIoU" is computed, as in `SegmentationScores`.
    """

    kind: ClassVar[str] = "segmentation"
    axes: ClassVar[Mapping[str, int]] = {"right": 2, "labelled": 2, "predicted": 2}

    right: NDArray[Any]
    labelled: NDArray[Any]
    predicted: NDArray[Any]
    of_images: bool = False
    target_class: int = -1
    image_miou: bool = False

    def _scores(self, weights: Floats) -> dict[str, Floats]:
        right, labelled, predicted = (weighted_sums(weights, n) for n in (self.right, self.labelled, self.predicted))
        seen = self.labelled.sum(1) > 0  # an image without a labelled pixel has no scores of its own
        shares = weights[:, seen] / weights[:, seen].sum(1, keepdims=True)
        own_right, own_labelled, own_predicted = (n[seen] * 1.0 for n in (self.right, self.labelled, self.predicted))
        own_iou = _iou(own_right, own_labelled, own_predicted)
        if self.of_images:
            found = {name: shares @ values for name, values in _three(own_right, own_labelled, own_iou).items()}
        else:
            found = _three(right, labelled, _iou(right, labelled, predicted))
        if self.target_class >= 0:
            found["IoU"] = _iou(right, labelled, predicted)[:, self.target_class]
        if self.image_miou:
            found["image mIoU"] = shares @ np.nan_to_num(own_iou).mean(1)
        return found


def _iou(right: Floats, labelled: Floats, predicted: Floats) -> Floats:
    """(..., classes) IU in percent; NaN for a class of no pixel."""
    return np.asarray(100.0 * right / (labelled + predicted - right))


def _three(right: Floats, labelled: Floats, iou: Floats) -> dict[str, Floats]:
    there, pixels = np.isfinite(iou), labelled.sum(-1)
    known = np.where(there, iou, 0.0)
    return {
        "mIoU": known.sum(-1) / there.sum(-1),
        "pixacc": 100.0 * right.sum(-1) / pixels,
        "fwIU": (labelled * known).sum(-1) / pixels,
    }


def confusion_matrix(prediction: Tensor, target: Tensor, *, classes: int, ignore: int) -> Tensor:
    """Count the pixels of each image by class and predicted class.

    Args:
        prediction: Class numbers (B, H, W).
        target: Class numbers (B, H, W). Pixels whose target is `ignore` do not count, whatever is predicted.

    Returns:
        int64 (B, classes, classes); n[b, i, j] = pixels of image b of class i predicted as j.

    Raises:
        ValueError: Shapes differ, or a class number is outside 0..classes - 1.
    """
    same_shape("a segmentation metric", prediction, target, "(B, H, W)")
    valid = target != ignore
    check_inside(target.where(valid, 0), "label", classes)
    check_inside(prediction.where(valid, 0), "predicted class", classes)
    each = [
        multiclass_confusion_matrix(*pair, classes, ignore_index=ignore, validate_args=False)
        for pair in zip(prediction.long(), target.long(), strict=True)
    ]
    return torch.stack(each) if each else target.new_zeros(0, classes, classes, dtype=torch.int64)


def class_iou(confusion: Tensor) -> Tensor:
    """IU_i = n_ii / (t_i + sum_j n_ji - n_ii) in percent, float64 (..., C); NaN if neither labelled nor predicted."""
    counts = confusion.double()
    hit = counts.diagonal(dim1=-2, dim2=-1)
    return 100.0 * hit / (counts.sum(-1) + counts.sum(-2) - hit)


def segmentation_scores(confusion: Tensor) -> Tensor:
    """(..., 3) float64 in percent: mIoU, pixacc, fwIU of a matrix (..., C, C), as in FCN (Long et al. 2015, section 5).

    With t_i = sum_j n_ij:  pixacc = sum_i n_ii / sum_i t_i;  mIoU = mean of IU_i over the classes that are not absent;
    fwIU = sum_i t_i IU_i / sum_i t_i.  NaN where no pixel is labelled.
    """
    counts = confusion.double()
    truth = counts.sum(-1)
    iou = class_iou(confusion)
    labelled = truth.sum(-1)
    pixacc = 100.0 * counts.diagonal(dim1=-2, dim2=-1).sum(-1) / labelled
    return torch.stack([iou.nanmean(-1), pixacc, (truth * iou).nansum(-1) / labelled], dim=-1)
