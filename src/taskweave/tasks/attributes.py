"""Attributes of regions: several yes-or-no questions about each object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, final

import torch
import torch.nn.functional as F
from torch import Tensor

from taskweave.heads.outputs import RoiAttributes
from taskweave.metrics.average_precision import AveragePrecision, Interpolation
from taskweave.tasks.dense import no_loss, precise
from taskweave.tasks.detection_checks import check_rois, class_names, joined
from taskweave.tasks.detection_pictures import draw_boxes
from taskweave.tasks.detection_soft import SoftBoxes, Suppression, as_boxes, suppressed
from taskweave.tasks.task import Direction, Task

if TYPE_CHECKING:
    from torchmetrics import Metric

MeasuredOn = Literal["boxes", "detections"]
"""What attributes are measured on.

"boxes": the true boxes, which the network must be given as regions (`taskweave.data.TargetRois`).
"detections": any regions. For each attribute regions are suppressed by its own score, and matched with the true boxes as a
    detector of the class "things with this attribute" would be: one on a box without it is wrong, on a box of which it is
    not known does not count.
"""


@final
class Attributes(Task):
    """Outputs are `RoiAttributes`: a logit per region and attribute; scores are their sigmoids.

    Targets of the loss, one mapping per image: "values" (r, A) of its regions, 0, 1, or NaN for unknown and on background,
    as `taskweave.data.SampleRois` makes them. Targets of the metric: "boxes" (n, 4) and "values" (n, A) of the objects.

    L = scale / F * sum_{r, a known} BCE(sigmoid(logits_ra), value_ra), F = the regions of which anything is known (the
    foreground). The default scale is 1 / A: the cross-stitch paper's 1/64 for its 64 attributes, whose losses are summed.
    With every value known on the foreground this is the mean over foreground regions and attributes; unknown values are
    left out of the sum, and A stays. The paper does not say that the sum is averaged over foreground regions; we do.

    names: of the attributes, or how many.  measured_on: see `MeasuredOn`.  interpolation: see `Interpolation`.
    suppression, iou: of `measured_on="detections"`.  shown: the least score of a box in pictures.
    """

    def __init__(
        self,
        names: Sequence[str] | int = 64,
        *,
        scale: float | None = None,
        measured_on: MeasuredOn = "boxes",
        interpolation: Interpolation = "area",
        suppression: Suppression = Suppression(nms=0.3),  # noqa: B008 - frozen
        iou: float = 0.5,
        shown: float = 0.0,
    ) -> None:
        if measured_on not in ("boxes", "detections"):
            raise ValueError(f'Attributes are measured on "boxes" or "detections", got {measured_on!r}')
        self.names = class_names("Attributes", names)
        self.scale = 1.0 / len(self.names) if scale is None else scale
        if not self.scale > 0:
            raise ValueError(f"scale multiplies the sum over attributes and is above 0, got {scale}")
        name = "mAP" if measured_on == "boxes" else "mAP on detections"
        self._measure = AveragePrecision(interpolation, iou=iou, name=name)
        self.measured_on, self.suppression, self.shown = measured_on, suppression, shown

    @property
    def directions(self) -> Mapping[str, Direction]:
        """ "mAP", or "mAP on detections"."""
        return self._measure.directions

    @property
    def channels(self) -> int:
        return len(self.names)

    def network_input(self, image: Tensor, target: Any | None, rois: Sequence[Tensor] | None) -> Any:
        return check_rois("Attributes", image, rois)

    def loss(self, output: RoiAttributes, target: Sequence[Mapping[str, Any]]) -> Tensor:
        self._check(output)
        values = joined("Attributes", "values", target, output.rois, output.logits)
        logits = precise(output.logits)
        if values.shape != logits.shape:
            raise ValueError(
                f"Attributes expects values {tuple(logits.shape)}, got {tuple(values.shape)}; build the task with the data "
                "set's attributes"
            )
        known = ~values.isnan()
        if not known.any():
            return no_loss(logits)
        total = F.binary_cross_entropy_with_logits(logits[known], values[known].to(logits), reduction="sum")
        return self.scale * total / known.any(1).sum()

    def label_count(self, output: RoiAttributes, target: Sequence[Mapping[str, Any]]) -> Tensor:
        """The regions of which anything is known."""
        return (~joined("Attributes", "values", target, output.rois, output.logits).isnan()).any(1).sum()

    def soft(self, output: RoiAttributes, size: tuple[int, int]) -> SoftBoxes:
        """Probabilities (r, A) of each image's regions, which are their boxes (r, 1, 4)."""
        self._check(output)
        regions = tuple(precise(part).as_subclass(Tensor) for part in output.rois)
        scores = torch.split(precise(output.logits).sigmoid(), [len(part) for part in regions])
        return SoftBoxes(tuple(scores), tuple(part[:, None] for part in regions), regions, size)

    def harden(self, soft: SoftBoxes) -> list[dict[str, Any]]:
        """Per image {"boxes" (r, 4), "scores" (r, A)} of all regions; on detections those of `Detection`, label a + 1."""
        if self.measured_on == "detections":
            return suppressed(soft, self.suppression)
        pairs = zip(soft.scores, soft.regions, strict=True)
        return [{"boxes": as_boxes(regions, soft.size), "scores": scores} for scores, regions in pairs]

    def metric(self) -> Metric:
        from taskweave.metrics.attributes import AttributesMetric, boxes_by_attribute
        from taskweave.metrics.detection import DetectionMetric

        if self.measured_on == "detections":
            return DetectionMetric(self.names, [self._measure], objects=boxes_by_attribute)
        return AttributesMetric(self.names, interpolation=self._measure.interpolation)

    def picture(self, value: Mapping[str, Any]) -> Tensor:
        """The boxes of one image on black, in the colour of their likeliest attribute (of a target: its first)."""
        if self.measured_on == "detections" and "scores" in value:
            return draw_boxes(value, value["labels"], classes=len(self.names), shown=self.shown)
        answers = value["scores"] if "scores" in value else value["values"]
        return draw_boxes(value, answers.nan_to_num(0.0).argmax(1) + 1, classes=len(self.names), shown=self.shown)

    def _check(self, output: RoiAttributes) -> None:
        if not isinstance(output, RoiAttributes):
            raise TypeError(
                f"Attributes expects RoiAttributes, got {type(output).__name__}; give the network an attribute head"
            )
        count = sum(len(part) for part in output.rois)
        if tuple(output.logits.shape) != (count, self.channels):
            raise ValueError(
                f"Attributes expects logits ({count}, {self.channels}) for its {count} regions, got "
                f"{tuple(output.logits.shape)}; build the network with {self.channels} channels for this task"
            )
