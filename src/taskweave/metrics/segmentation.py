"""How good a segmentation is, over a whole set of images."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor

from taskweave.metrics.confusion import class_iou, confusion_matrix, segmentation_scores
from taskweave.metrics.gathering import gather_from_anywhere
from taskweave.metrics.per_image_metric import PerImageMetric, rows_of
from taskweave.metrics.per_image_segmentation import SegmentationImages


@final
class SegmentationMetric(PerImageMetric):
    """mIoU, pixacc and fwIU in percent, from one confusion matrix of the whole set (FCN definitions).

    ``update(prediction, target)``: (B, H, W) class numbers each. Sums only, so neither batches nor processes matter.

    ignore: the label of pixels that do not count.
    per_image: instead the mean over images of each image's own three scores; images without a labelled pixel are left
        out. Often several points lower or higher than over the set: the two are not comparable.
    target_class: also the IU of this class alone, over the whole set, as "IoU"; NaN where it is absent.
    image_miou: also, as "image mIoU", the mean over images of the mean over *all* classes of an image's IUs, where the IU
        of a class that is absent from the image (0/0) counts 0. Images without a labelled pixel are left out. The Pet
        paper's public code measures its two classes so; an image without one of them has at most 50.

    Absent classes (neither labelled nor predicted in any counted pixel) are left out of mIoU; `absent` says how many.
    """

    full_state_update = False
    counts: Tensor
    image_scores: Tensor
    image_mious: Tensor
    images: Tensor
    rows: list[Tensor] | Tensor

    def __init__(
        self,
        classes: int,
        *,
        ignore: int = 255,
        per_image: bool = False,
        target_class: int | None = None,
        image_miou: bool = False,
    ) -> None:
        super().__init__(dist_sync_fn=gather_from_anywhere)
        self.target_class = target_class
        self.classes = classes
        self.ignore = ignore
        self.of_images = per_image
        self.image_miou = image_miou
        self.add_state("counts", torch.zeros(classes, classes, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("image_scores", torch.zeros(3, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("image_mious", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("images", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("rows", [], dist_reduce_fx="cat")

    def update(self, prediction: Tensor, target: Tensor) -> None:
        each = confusion_matrix(prediction, target, classes=self.classes, ignore=self.ignore)
        self.counts += each.sum(0)
        scores = segmentation_scores(each)
        labelled = each.sum((1, 2)) > 0
        self.image_scores += scores[labelled].sum(0)
        self.image_mious += class_iou(each[labelled]).nan_to_num(0.0).mean(-1).sum()
        self.images += labelled.sum()
        assert isinstance(self.rows, list)  # a tensor only while synchronised, when updates are refused
        self.rows.append(torch.stack([each.diagonal(dim1=1, dim2=2), each.sum(2), each.sum(1)], 1).flatten())

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
        with self.sync_context(dist_sync_fn=self.dist_sync_fn):
            return class_iou(self.counts)

    def class_scores(self) -> dict[str, Tensor]:
        """The classes' IU over the whole set, whose mean mIoU is; "IoU" where mIoU is a mean over images."""
        return {"IoU" if self.of_images else "mIoU": self.per_class()}

    def per_image(self) -> SegmentationImages:
        """The pixel counts of each image by class."""
        with self.sync_context(dist_sync_fn=self.dist_sync_fn):
            rows = rows_of(self.rows, 3 * self.classes).reshape(-1, 3, self.classes)
        target = -1 if self.target_class is None else self.target_class
        return SegmentationImages(
            rows[:, 0],
            rows[:, 1],
            rows[:, 2],
            of_images=self.of_images,
            target_class=target,
            image_miou=self.image_miou,
        )

    @property
    def absent(self) -> int:
        """How many classes are neither labelled nor predicted, and so no part of mIoU."""
        return int(self.per_class().isnan().sum())
