"""Counts of pixels by true and predicted class, and the scores of a segmentation that follow from them."""

from __future__ import annotations

import torch
from torch import Tensor

from taskweave.metrics.shapes import same_shape


def confusion_matrix(prediction: Tensor, target: Tensor, *, classes: int, ignore: int) -> Tensor:
    """n[b, i, j] = pixels of image b of class i predicted as j; int64 (B, classes, classes).

    prediction, target: (B, H, W) class numbers. Pixels whose target is `ignore` do not count, whatever is predicted.
    Raises ValueError for other shapes and for a class number outside 0..classes - 1.
    """
    same_shape("a segmentation metric", prediction, target, "(B, H, W)")
    valid = target != ignore
    image = torch.arange(len(target), device=target.device)[:, None, None].expand_as(target)[valid]
    truth, guess = target[valid].long(), prediction[valid].long()
    check_inside(truth, "label", classes)
    check_inside(guess, "predicted class", classes)
    cells = (image * classes + truth) * classes + guess
    return torch.bincount(cells, minlength=len(target) * classes**2).view(len(target), classes, classes)


def class_iou(confusion: Tensor) -> Tensor:
    """IU_i = n_ii / (t_i + sum_j n_ji - n_ii) in percent, (..., C) float64; NaN for an absent class (union of 0).

    A class that is predicted somewhere but labelled nowhere is not absent: its IU is 0.
    """
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


def check_inside(numbers: Tensor, what: str, classes: int) -> None:
    """Raise ValueError for a number outside 0..classes - 1, naming it."""
    outside = (numbers < 0) | (numbers >= classes)
    if outside.any():
        raise ValueError(
            f"{what} {int(numbers[outside][0])} is outside the {classes} classes (0..{classes - 1}); "
            "map it to a class or to the ignored label"
        )
