"""Losses between logits (B, C, h, w) and class numbers (B, h, w) in which one number is ignored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor

from taskweave.tasks.dense import PairLoss


@final
class CrossEntropy:
    """- sum_p w_{y_p} log softmax(logits_p)[y_p] / sum_p w_{y_p} over the pixels p not ignored; w = 1 if not given.

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
    """- sum_p log softmax(logits_p)[y_p] over the pixels p of all images that are not ignored.

    Source: Kawakami et al., Cross-connected networks, section 3. It grows with the number and the size of the images.
    """

    def __init__(self, *, ignore: int = 255) -> None:
        self.ignore = ignore

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(logits, target, ignore_index=self.ignore, reduction="sum")


def focal_loss(*, gamma: float = 2.0, ignore: int = 255) -> PairLoss:
    """The focal loss of segmentation_models_pytorch (Lin et al. 2017), one against the rest, the mean over classes.

    Raises ImportError without ``pip install taskweave[losses]``.
    """
    try:
        from segmentation_models_pytorch.losses import FocalLoss
    except ImportError as error:
        raise _missing("focal_loss") from error
    loss: PairLoss = FocalLoss("multiclass", gamma=gamma, ignore_index=ignore)
    return loss


def dice_loss(*, smooth: float = 0.0, ignore: int = 255) -> PairLoss:
    """The Dice loss of segmentation_models_pytorch: 1 - 2 |P T| / (|P| + |T|), the mean over classes, 0 for an absent one.

    Raises ImportError without ``pip install taskweave[losses]``.
    """
    try:
        from segmentation_models_pytorch.losses import DiceLoss
    except ImportError as error:
        raise _missing("dice_loss") from error
    loss: PairLoss = DiceLoss("multiclass", smooth=smooth, ignore_index=ignore)
    return loss


def _missing(name: str) -> ImportError:
    return ImportError(f"{name} needs segmentation_models_pytorch: pip install taskweave[losses]")
