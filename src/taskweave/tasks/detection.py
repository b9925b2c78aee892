"""Detection with anchors: a box and a class for every object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, final

from annotated_types import Ge, Gt, Le, Len, Lt
from torch import Tensor
from torchmetrics import Metric

from taskweave.heads.boxes import ANCHOR_WEIGHTS, decode_boxes
from taskweave.heads.outputs import AnchorOutputs
from taskweave.parts import Aside, Part
from taskweave.tasks.anchor_loss import AnchorLoss, Matching, Sampling
from taskweave.tasks.checks import check_box_targets
from taskweave.tasks.dense import precise
from taskweave.tasks.detections import MEAN_AVERAGE_PRECISION, DetectionTask, SoftBoxes, Suppression, suppressed
from taskweave.tasks.labels import Named
from taskweave.tasks.task import Form


@final
class Detection(DetectionTask):
    """Outputs are `AnchorOutputs`, of a region proposal network as the detector or any other network with anchors.

    Targets, of the loss too, are `DetectionTask`'s; objects to be ignored are neither positive nor negative. Predictions
    come from the highest score down, after suppression within each class.

    Args:
        labels: With the names of the classes without background; or the names alone, or how many.
        metrics: What is measured, in the order of a table's columns; e.g. `PEDESTRIANS`, `part(CocoAveragePrecision)`.
        nms: Of two boxes of a class with a larger IoU the lower-scored goes; .7 for pedestrians, .1 for birds in the
            cross-connected paper.
        score: Only boxes with a higher score count as detections.
        detections: At most so many per image.
        box_weight: Factor of the boxes' smooth L1 loss beside the classes' cross-entropy.
        positive: An anchor with an IoU of at least this with an object answers for it.
        negative: An anchor below this with every object is background; those between are neither.
        sample: Anchors of an image that are drawn for the loss; None takes all.
        foreground: The largest share of them that is positive.
        shown: The least score of a box in pictures.
    """

    reads: ClassVar[Form] = "anchors"

    def __init__(
        self,
        labels: Named,
        *,
        metrics: Annotated[tuple[Part[Metric], ...], Len(1)] = MEAN_AVERAGE_PRECISION,
        nms: Annotated[float, Ge(0), Le(1)] = 0.5,
        score: Annotated[float, Ge(0), Lt(1)] = 0.05,
        detections: Annotated[int, Ge(1)] = 100,
        box_weight: Annotated[float, Ge(0)] = 1.0,
        positive: Annotated[float, Ge(0), Le(1)] = 0.7,
        negative: Annotated[float, Ge(0), Le(1)] = 0.3,
        sample: Annotated[int, Ge(1)] | None = 256,
        foreground: Annotated[float, Gt(0), Le(1)] = 0.5,
        shown: Annotated[float, Ge(0), Le(1), Aside] = 0.5,
    ) -> None:
        super().__init__(labels, metrics=metrics, shown=shown)
        self.anchor_loss = AnchorLoss(Matching(positive, negative), Sampling(sample, foreground), box_weight=box_weight)
        self.suppression = Suppression(nms=nms, score=score, detections=detections)

    @staticmethod
    def check(options: Mapping[str, Any]) -> None:
        """Raise ValueError unless positive anchors overlap more than negative ones."""
        if options["negative"] > options["positive"]:
            raise ValueError(f"negative must not be above positive, got {options['negative']} and {options['positive']}")

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
