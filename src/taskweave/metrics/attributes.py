"""How well attributes of given boxes are told, over a whole set of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, final

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import box_iou

from taskweave.metrics.average_precision import (
    AveragePrecision,
    AveragePrecisionImages,
    Interpolation,
    check_interpolation,
    points_average_precision,
    recall_precision,
)
from taskweave.metrics.detection import curves
from taskweave.metrics.detection_images import Points, points_of
from taskweave.metrics.gain import Direction
from taskweave.metrics.metric import PerImageMetric
from taskweave.metrics.per_image import Curve
from taskweave.metrics.ranking import Ranked, rank
from taskweave.metrics.refusals import Classes, class_names

_SAME = 0.99
"""The IoU from which two boxes are one: a box that went through resizing and clipping twice is not equal bit by bit."""


@final
class AttributeAveragePrecision(PerImageMetric):
    """The mean over attributes of the average precision of their scores on the true boxes, "mAP", in percent.

    ``update(predictions, targets)``: two lists, one mapping per image: {"boxes": (r, 4), "scores": (r, A)} and
    {"boxes": (n, 4), "values": (n, A) of 0, 1 or NaN for unknown}. Each true box must be among the prediction's, which
    must therefore come from rois that hold the true boxes; others are not looked at.

    Every true box is one item for each attribute whose value is known; items are ranked by score over the whole set.
    Attributes without a single 1 have no average precision and are left out of the mean; `counts` says how many.

    Args:
        task: With the attributes as classes, their names, or how many.
        interpolation: See `Interpolation`.
    """

    directions: ClassVar[Mapping[str, Direction]] = {"mAP": "higher"}

    def __init__(self, task: Classes, *, interpolation: Interpolation = "area") -> None:
        super().__init__()
        check_interpolation(interpolation)
        self.names = class_names(task, first=1, word="attribute")
        self.interpolation: Interpolation = interpolation
        self.add_rows("scores", "values", "boxes")  # boxes: how many each image has

    def update(self, prediction: Sequence[Mapping[str, Any]], target: Sequence[Mapping[str, Any]]) -> None:
        if len(prediction) != len(target):
            raise ValueError(
                f"a metric of attributes expects one prediction per target, got {len(prediction)} and {len(target)}; "
                "give those of the same images"
            )
        pairs = [self._pair(said, there) for said, there in zip(prediction, target, strict=True)]
        for scores, values in pairs:
            self.keep("scores", scores)
            self.keep("values", values)
            self.keep("boxes", torch.tensor(len(values), dtype=torch.float32))

    def compute(self) -> dict[str, Tensor]:
        return {"mAP": self._each(*self._answers()).nanmean()}

    def per_attribute(self) -> Tensor:
        """float64 (A,): the average precision of each attribute over the whole set in percent, NaN without a single 1."""
        with self.everywhere():
            return self._each(*self._answers())

    def class_scores(self) -> dict[str, Tensor]:
        """The average precision of each attribute, whose mean mAP is."""
        return {"mAP": self.per_attribute()}

    def per_image(self) -> AveragePrecisionImages:
        """The answers on the boxes of each image."""
        with self.everywhere():
            scores, values = (part.numpy() for part in self._answers())
            boxes = self.rows("boxes")[:, 0].long().numpy()
        owner = np.repeat(np.arange(len(boxes)), boxes)
        known, right = ~np.isnan(values), values == 1
        objects = np.zeros((len(boxes), len(self.names)), np.int64)
        np.add.at(objects, owner, right)
        ranked = [Ranked(owner[k], s[k], r[k]) for k, s, r in zip(known.T, scores.T, right.T, strict=True)]
        eleven = self.interpolation == "11-point"
        return AveragePrecisionImages(**rank(ranked, objects)._asdict(), name="mAP", eleven=eleven)

    def counts(self) -> Tensor:
        """int64 (A, 2): for each attribute how many boxes have it, and of how many it is known."""
        with self.everywhere():
            values = self.rows("values", len(self.names))
        return torch.stack([(values == 1).sum(0), (~values.isnan()).sum(0)], 1)

    def curves(self) -> list[Curve]:
        """Precision over recall of each attribute that some box has."""
        with self.everywhere():
            columns = self._columns(*self._answers())
        points = zip(self.names, columns, strict=True)
        return curves(
            {name: recall_precision(of) for name, of in points if of.objects}, x_axis="recall", y_axis="precision"
        )

    def _answers(self) -> tuple[Tensor, Tensor]:
        """Scores and values (boxes, A)."""
        return self.rows("scores", len(self.names)), self.rows("values", len(self.names))

    def _each(self, scores: Tensor, values: Tensor) -> Tensor:
        columns = self._columns(scores, values)
        return 100.0 * torch.stack([points_average_precision(points, self.interpolation) for points in columns])

    @staticmethod
    def _columns(scores: Tensor, values: Tensor) -> list[Points]:
        found = []
        for score, value in zip(scores.T, values.T, strict=True):
            known = ~value.isnan()
            right = value[known] > 0
            found.append(points_of(score[known], right, int(right.sum())))
        return found

    def _pair(self, said: Mapping[str, Any], there: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        """Scores and values (n, A) of the true boxes."""
        boxes, scores = (said[name].detach().as_subclass(Tensor).cpu().float() for name in ("boxes", "scores"))
        if "boxes" not in there or "values" not in there:
            raise ValueError(
                f"a metric of attributes expects targets with boxes and values, got {sorted(there)}; measure on the data "
                "set's own targets, not on those of regions sampled for training"
            )
        truth, values = (there[name].detach().as_subclass(Tensor).cpu().float() for name in ("boxes", "values"))
        self._check(scores, values, truth)
        if not len(truth):
            return scores[:0], values
        best, which = box_iou(truth.double(), boxes.double()).max(1) if len(boxes) else (torch.zeros(len(truth)), None)
        if which is None or (best < _SAME).any():
            missing = [round(x, 1) for x in truth[best.argmin()].tolist()]
            raise ValueError(
                f"attributes are measured on true boxes, but none of the {len(boxes)} regions is the true box {missing}; "
                'give the true boxes as the network\'s rois, or build Attributes(..., measured_on="detections")'
            )
        return scores[which], values

    def _check(self, scores: Tensor, values: Tensor, boxes: Tensor) -> None:
        count = len(self.names)
        if scores.shape[1:] != (count,) or values.shape != (len(boxes), count):
            raise ValueError(
                f"a metric of attributes expects scores (r, {count}) and values ({len(boxes)}, {count}), got "
                f"{tuple(scores.shape)} and {tuple(values.shape)}; build Attributes with the data set's attributes"
            )
        if not ((values == 0) | (values == 1) | values.isnan()).all():
            raise ValueError("attribute values are 0, 1, or NaN for unknown; map others when reading the data")


@final
class AttributesOnDetections(AveragePrecision):
    """Average precision of the detections of "things with this attribute", each attribute a class of its own.

    ``update(predictions, targets)``: predictions as of `AveragePrecision` with label a + 1 for attribute a, targets with
    "boxes" (n, 4) and "values" (n, A); a box of which an attribute is not known is ignored for it.

    Args:
        task: With the attributes as classes, their names, or how many.
        name, iou, interpolation, min_height, min_visible: As in `AveragePrecision`.
    """

    def truth(self, target: Mapping[str, Any]) -> Mapping[str, Any]:
        return boxes_by_attribute(target)


def boxes_by_attribute(target: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return a detection target in which class a + 1 is attribute a.

    Its boxes are those that have the attribute; where the attribute is not known, the box is marked as ignored.

    Args:
        target: {"boxes": (n, 4), "values": (n, A) of 0, 1 or NaN}.
    """
    boxes, values = target["boxes"].detach().as_subclass(Tensor), target["values"]
    row, column = ((values == 1) | values.isnan()).nonzero(as_tuple=True)
    return {"boxes": boxes[row], "labels": column + 1, "ignore": values[row, column].isnan()}
