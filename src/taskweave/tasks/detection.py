"""Detection with anchors: a box and a class for every object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, final

from torch import Tensor

from taskweave.heads.boxes import ANCHOR_WEIGHTS, decode_boxes
from taskweave.heads.outputs import AnchorOutputs
from taskweave.metrics.average_precision import AveragePrecision
from taskweave.metrics.detection_images import DetectionMeasure
from taskweave.tasks.anchor_loss import AnchorLoss
from taskweave.tasks.dense import precise
from taskweave.tasks.detection_checks import check_box_targets, class_names, joint_directions
from taskweave.tasks.detection_pictures import draw_boxes
from taskweave.tasks.detection_soft import SoftBoxes, Suppression, suppressed
from taskweave.tasks.task import Direction, Task

if TYPE_CHECKING:
    from torchmetrics import Metric


@final
class Detection(Task):
    """Outputs are `AnchorOutputs`, of a region proposal network as the detector or any other network with anchors.

    Targets, one mapping per image: "boxes" (n, 4) as x1, y1, x2, y2 in pixels of the network's input, "labels" (n,) in
    1..C, and optionally "ignore" (n,) bool: neither positive nor negative. Predictions, one per image: "boxes", "scores",
    "labels" from the highest score down, after suppression within each class.

    classes: their names without background, or how many.
    metrics: what is measured, in the order of a table's columns; e.g. `PEDESTRIANS`, `BIRDS_9`, `CocoAveragePrecision()`.
    anchor_loss: which anchors answer for which objects.  suppression: nms .7 for pedestrians, .1 for birds in the paper.
    shown: the least score of a box in pictures.
    """

    def __init__(
        self,
        classes: Sequence[str] | int,
        *,
        metrics: Sequence[DetectionMeasure] = (AveragePrecision(),),
        anchor_loss: AnchorLoss = AnchorLoss(),  # noqa: B008 - frozen
        suppression: Suppression = Suppression(),  # noqa: B008 - frozen
        shown: float = 0.5,
    ) -> None:
        self.classes = class_names("Detection", classes)
        self.metrics = tuple(metrics)
        self._directions = joint_directions("Detection", metrics)
        self.anchor_loss, self.suppression, self.shown = anchor_loss, suppression, shown

    @property
    def directions(self) -> Mapping[str, Direction]:
        return self._directions

    @property
    def channels(self) -> int:
        """Logits per anchor: the classes and background."""
        return len(self.classes) + 1

    def loss(self, output: AnchorOutputs, target: Sequence[Mapping[str, Any]]) -> Tensor:
        self._check(output)
        check_box_targets("Detection", target, len(output.logits), len(self.classes))
        return self.anchor_loss(output, target)

    def label_count(self, output: AnchorOutputs, target: Sequence[Mapping[str, Any]]) -> Tensor:
        """The anchors that are drawn."""
        return self.anchor_loss.count(output, target)

    def soft(self, output: AnchorOutputs, size: tuple[int, int]) -> SoftBoxes:
        """Probabilities (A, C) and boxes (A, 1, 4) of each image. size: of the network's input; boxes are not resized."""
        self._check(output)
        anchors = precise(output.anchors)
        scores = precise(output.logits).softmax(-1)[..., 1:]
        boxes = decode_boxes(precise(output.deltas), anchors, ANCHOR_WEIGHTS)[:, :, None]
        return SoftBoxes(scores.unbind(), boxes.unbind(), (anchors,) * len(scores), size)

    def harden(self, soft: SoftBoxes) -> list[dict[str, Any]]:
        return suppressed(soft, self.suppression)

    def metric(self) -> Metric:
        from taskweave.metrics.detection import DetectionMetric

        return DetectionMetric(self.classes, self.metrics)

    def picture(self, value: Mapping[str, Any]) -> Tensor:
        """The boxes of one image in their classes' colours on black, those to be ignored in grey."""
        return draw_boxes(value, value["labels"], classes=len(self.classes), shown=self.shown)

    def _check(self, output: AnchorOutputs) -> None:
        if not isinstance(output, AnchorOutputs):
            raise TypeError(
                f"Detection expects AnchorOutputs, got {type(output).__name__}; use RoiDetection for RoiOutputs and "
                "TorchvisionDetection for torchvision's detectors"
            )
        logits, deltas, anchors = output
        expected = (len(logits), len(anchors), self.channels), (len(logits), len(anchors), 4)
        if (tuple(logits.shape), tuple(deltas.shape)) != expected or anchors.shape[1:] != (4,):
            raise ValueError(
                f"Detection expects logits (B, A, {self.channels}), deltas (B, A, 4) and anchors (A, 4), got "
                f"{tuple(logits.shape)}, {tuple(deltas.shape)} and {tuple(anchors.shape)}; build the network with "
                f"{self.channels} channels for this task: its {len(self.classes)} classes and background"
            )
