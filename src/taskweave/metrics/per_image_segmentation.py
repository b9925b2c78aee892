"""What each image contributes to the scores of a segmentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from taskweave.metrics.per_image import Floats, PerImage, check_lengths, weighted_sums


@final
@dataclass(frozen=True)
class SegmentationImages(PerImage):
    """Pixel counts by class: all that mIoU, pixacc and fwIU need (Long et al. 2015, section 5).

    right, labelled, predicted: (images, classes) pixels that are labelled and predicted so, labelled so, predicted so, of
    those that count.
    of_images: whether mIoU, pixacc and fwIU are means over images of their own scores.  target_class: whose IU is "IoU",
    -1 for none.  image_miou: whether there is an "image mIoU". All as in `SegmentationMetric`.
    """

    kind: ClassVar[str] = "segmentation"

    right: NDArray[Any]
    labelled: NDArray[Any]
    predicted: NDArray[Any]
    of_images: bool = False
    target_class: int = -1
    image_miou: bool = False

    def __post_init__(self) -> None:
        arrays = {"right": self.right, "labelled": self.labelled, "predicted": self.predicted}
        check_lengths("SegmentationImages", arrays, axes=dict.fromkeys(arrays, 2))

    @property
    def count(self) -> int:
        return len(self.right)

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
