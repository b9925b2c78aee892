"""Attributes of regions: several yes-or-no questions about each object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, final

import torch
import torch.nn.functional as F
from annotated_types import Ge, Gt, Le, Lt
from torch import Tensor

from taskweave.heads.layers import RoiAttributes
from taskweave.metrics.attributes import AttributeAveragePrecision, AttributesOnDetections
from taskweave.metrics.average_precision import Interpolation
from taskweave.parts import Aside
from taskweave.tasks.checks import check_rois, joined, no_loss, precise
from taskweave.tasks.detection import SoftBoxes, Suppression, as_boxes, suppressed
from taskweave.tasks.pictures import draw_boxes
from taskweave.tasks.task import Direction, Form, Named, Task, class_names

MeasuredOn = Literal["boxes", "detections"]
"""What attributes are measured on.

"boxes": the true boxes, which the network must be given as regions (`taskweave.data.TargetRois`).
"detections": any regions. For each attribute regions are suppressed by its own score, and matched with the true boxes as a
    detector of the class "things with this attribute" would be: one on a box without it is wrong, on a box of which it is
    not known does not count.
"""


@final
class Attributes(Task):
    """Attribute prediction: a yes or no for every attribute of every region.

    Outputs are `RoiAttributes`: a logit per region and attribute; scores are their sigmoids.

    Targets of the loss, one mapping per image: "values" (r, A) of its regions, 0, 1, or NaN for unknown and on background,
    as `taskweave.data.SampleRois` makes them. Targets of the metric: "boxes" (n, 4) and "values" (n, A) of the objects.

    L = scale / F * sum_{r, a known} BCE(sigmoid(logits_ra), value_ra), F = the regions of which anything is known (the
    foreground). The default scale is 1 / A: the cross-stitch paper's 1/64 for its 64 attributes, whose losses are summed.
    With every value known on the foreground this is the mean over foreground regions and attributes; unknown values are
    left out of the sum, and A stays. The paper does not say that the sum is averaged over foreground regions; we do.

    Args:
        labels: With the names of the attributes; or the names alone, or how many.
        scale: Factor of the loss summed over attributes; None for 1 / their number.
        measured_on: See `MeasuredOn`.
        interpolation: See `Interpolation`.
        nms: On detections: of two boxes with a larger IoU the one with the lower score of an attribute goes.
        score: On detections: only boxes with a higher score count.
        iou: On detections: from this overlap on a box has found an object.
        shown: The least score of a box in pictures.
    """

    reads: ClassVar[Form] = "regions"
    dense: ClassVar[bool] = False
    counted: ClassVar[str] = "boxes"

    def __init__(
        self,
        labels: Named,
        *,
        scale: Annotated[float, Gt(0)] | None = None,
        measured_on: MeasuredOn = "boxes",
        interpolation: Interpolation = "area",
        nms: Annotated[float, Ge(0), Le(1)] = 0.3,
        score: Annotated[float, Ge(0), Lt(1)] = 0.05,
        iou: Annotated[float, Gt(0), Le(1)] = 0.5,
        shown: Annotated[float, Ge(0), Le(1), Aside] = 0.0,
    ) -> None:
        if measured_on not in ("boxes", "detections"):
            raise ValueError(f'Attributes are measured on "boxes" or "detections", got {measured_on!r}')
        self.classes = class_names("Attributes", labels, least=1, first=1, word="attribute")
        self.scale = 1.0 / len(self.classes) if scale is None else scale
        if not self.scale > 0:
            raise ValueError(f"scale multiplies the sum over attributes and is above 0, got {scale}")
        self.measured_on, self.shown, self.iou = measured_on, shown, iou
        self.interpolation: Interpolation = interpolation
        self.suppression = Suppression(nms=nms, score=score)
        self._directions = self.metric().directions

    @property
    def directions(self) -> Mapping[str, Direction]:
        """ "mAP", or "mAP on detections"."""
        return self._directions

    @property
    def channels(self) -> int:
        return len(self.classes)

    @property
    def needs_true_boxes(self) -> bool:
        return self.measured_on == "boxes"

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

    def metric(self) -> AttributesOnDetections | AttributeAveragePrecision:
        if self.measured_on == "boxes":
            return AttributeAveragePrecision(self, interpolation=self.interpolation)
        return AttributesOnDetections(self, name="mAP on detections", interpolation=self.interpolation, iou=self.iou)

    def class_counts(self, target: Mapping[str, Tensor]) -> Tensor:
        """Of the true boxes, those that have an attribute."""
        return (target["values"] == 1).sum(0)

    def constants(self, numbers: Tensor | None) -> list[Tensor]:
        """On true boxes the same score for all, which ranks none before another."""
        return [torch.tensor(0.0)] if self.measured_on == "boxes" else []

    def constant_answer(self, constant: Tensor, target: Mapping[str, Tensor]) -> tuple[Any, Any]:
        same = constant.expand(len(target["boxes"]), len(self.classes))
        return [{"boxes": target["boxes"], "scores": same}], [target]

    def picture(self, value: Mapping[str, Any]) -> Tensor:
        """The boxes of one image on black, in the colour of their likeliest attribute (of a target: its first)."""
        if self.measured_on == "detections" and "scores" in value:
            return draw_boxes(value, value["labels"], classes=len(self.classes), shown=self.shown)
        answers = value["scores"] if "scores" in value else value["values"]
        return draw_boxes(value, answers.nan_to_num(0.0).argmax(1) + 1, classes=len(self.classes), shown=self.shown)

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
