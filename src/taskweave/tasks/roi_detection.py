"""Detection by networks that are given regions (Fast R-CNN), or that choose and suppress by themselves (torchvision's)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, final

import torch
from annotated_types import Ge, Le, Len, Lt
from torch import Tensor
from torchmetrics import Metric

from taskweave.heads.anchors import ROI_WEIGHTS, decode_boxes
from taskweave.heads.layers import RoiOutputs
from taskweave.parts import Aside, Part
from taskweave.tasks.anchor_loss import NEITHER, box_loss, ignored_of
from taskweave.tasks.checks import check_box_targets, check_labels, check_rois, joined, no_loss, precise
from taskweave.tasks.detection import MEAN_AVERAGE_PRECISION, DetectionTask, SoftBoxes, Suppression, as_boxes, suppressed
from taskweave.tasks.task import Form, Named, as_labels


@final
class RoiDetection(DetectionTask):
    """Object detection on given regions of interest, as in Fast R-CNN.

    Outputs are `RoiOutputs`, of a network that reads (images, regions of interest per image).

    Targets of the loss, one mapping per image, are those of its regions, as `taskweave.data.SampleRois` makes them:
    "labels" (r,), 0 for background, -1 for neither; "deltas" (r, 4), coded against the regions with weights
    (10, 10, 5, 5) (`encode_boxes`). Targets of the metric are `DetectionTask`'s, and so are predictions: of all regions
    given, from the highest score down, after suppression within each class.

    L = (1/R) [ sum_r CE(logits_r, label_r) + box_weight * sum_{r foreground} smoothL1(deltas_r[label_r] - target_r) ], R =
    the regions that have a label: Girshick (2015, eq. 1), averaged over the mini-batch.

    Args:
        labels: With the names of the classes without background; or the names alone, or how many.
        metrics: What is measured, in the order of a table's columns; e.g. `part(CocoAveragePrecision)`.
        nms: Of two boxes of a class with a larger IoU the lower-scored goes; .3 in Fast R-CNN.
        score: Only boxes with a higher score count as detections.
        detections: At most so many per image.
        box_weight: Factor of the boxes' smooth L1 loss beside the classes' cross-entropy.
        beta: Where smooth L1 turns from square to line.
        shown: The least score of a box in pictures.
    """

    reads: ClassVar[Form] = "regions"

    def __init__(
        self,
        labels: Named,
        *,
        metrics: Annotated[tuple[Part[Metric], ...], Len(1)] = MEAN_AVERAGE_PRECISION,
        nms: Annotated[float, Ge(0), Le(1)] = 0.3,
        score: Annotated[float, Ge(0), Lt(1)] = 0.05,
        detections: Annotated[int, Ge(1)] = 100,
        box_weight: Annotated[float, Ge(0)] = 1.0,
        beta: Annotated[float, Ge(0)] = 1.0,
        shown: Annotated[float, Ge(0), Le(1), Aside] = 0.5,
    ) -> None:
        super().__init__(labels, metrics=metrics, shown=shown)
        if not beta >= 0 or not box_weight >= 0:
            raise ValueError(f"RoiDetection needs beta and box_weight of at least 0, got {beta} and {box_weight}")
        self.suppression = Suppression(nms=nms, score=score, detections=detections)
        self.box_weight, self.beta = box_weight, beta

    def network_input(self, image: Tensor, target: Any | None, rois: Sequence[Tensor] | None) -> Any:
        return check_rois("RoiDetection", image, rois)

    def loss(self, output: RoiOutputs, target: Sequence[Mapping[str, Any]]) -> Tensor:
        self._check(output)
        labels = joined("RoiDetection", "labels", target, output.rois, output.logits).long()
        codes = joined("RoiDetection", "deltas", target, output.rois, output.logits)
        check_labels("RoiDetection", labels, low=NEITHER, classes=len(self.classes))
        logits, deltas = precise(output.logits), precise(output.deltas).view(-1, self.channels, 4)
        chosen, foreground = labels != NEITHER, labels > 0
        if not chosen.any():
            return no_loss(logits) + no_loss(deltas)
        own = deltas[foreground, labels[foreground]]
        codes = codes[foreground].to(own)
        return box_loss(logits, labels, own, codes, beta=self.beta, box_weight=self.box_weight)

    def label_count(self, output: RoiOutputs, target: Sequence[Mapping[str, Any]]) -> Tensor:
        """The regions that are not neither."""
        return (joined("RoiDetection", "labels", target, output.rois, output.logits) != NEITHER).sum()

    def soft(self, output: RoiOutputs, size: tuple[int, int]) -> SoftBoxes:
        """Return probabilities (r, C) and boxes (r, C, 4) for each image.

        Args:
            size: (height, width) of the network's input; boxes are not resized.
        """
        self._check(output)
        regions = tuple(precise(part).as_subclass(Tensor) for part in output.rois)
        counts = [len(part) for part in regions]
        scores = precise(output.logits).softmax(-1)[:, 1:]
        deltas = precise(output.deltas).view(-1, self.channels, 4)[:, 1:]
        boxes = decode_boxes(deltas, torch.cat(regions)[:, None], ROI_WEIGHTS)
        return SoftBoxes(tuple(torch.split(scores, counts)), tuple(torch.split(boxes, counts)), regions, size)

    def harden(self, soft: SoftBoxes) -> list[dict[str, Any]]:
        return suppressed(soft, self.suppression)

    def _check(self, output: RoiOutputs) -> None:
        if not isinstance(output, RoiOutputs):
            raise TypeError(
                f"RoiDetection expects RoiOutputs, got {type(output).__name__}; use Detection for AnchorOutputs and "
                "Attributes for RoiAttributes"
            )
        count = sum(len(part) for part in output.rois)
        shapes = tuple(output.logits.shape), tuple(output.deltas.shape)
        if shapes != ((count, self.channels), (count, 4 * self.channels)):
            raise ValueError(
                f"RoiDetection expects logits ({count}, {self.channels}) and deltas ({count}, {4 * self.channels}) for its "
                f"{count} regions, got {shapes[0]} and {shapes[1]}; build the network with {self.channels} channels for "
                f"this task: its {len(self.classes)} classes and background"
            )


@final
class TorchvisionDetection(DetectionTask):
    """Object detection with a torchvision detector.

    Outputs are what Faster R-CNN and RetinaNet of torchvision return: losses in training, else detections.

    The network is given (images, targets) where there are targets, else the images, in both cases as RGB in [0, 1]: these
    detectors normalise by themselves. Boxes to be ignored are left out of the network's targets, as torchvision knows none:
    where they lie is background to it. The metric knows them. Detections of label 0 are left out: RetinaNet has scores of
    background too, which an early one believes in. The loss is the sum of the network's losses. Suppression and score
    threshold are the network's own. Ensembles are refused: boxes after suppression cannot be averaged.

    Args:
        labels: With the names of the classes without background (the network is built with one more) and the statistics
            that the data are normalised with; or the names alone, or how many, for images normalised as ImageNet's.
        metrics: What is measured, in the order of a table's columns; e.g. `PEDESTRIANS`, `part(CocoAveragePrecision)`.
        shown: The least score of a box in pictures.
    """

    reads: ClassVar[Form] = "boxes"
    reads_targets: ClassVar[bool] = True

    def __init__(
        self,
        labels: Named,
        *,
        metrics: Annotated[tuple[Part[Metric], ...], Len(1)] = MEAN_AVERAGE_PRECISION,
        shown: Annotated[float, Ge(0), Le(1), Aside] = 0.5,
    ) -> None:
        super().__init__(labels, metrics=metrics, shown=shown)
        self.statistics = as_labels(labels).statistics

    def network_input(self, image: Tensor, target: Any | None, rois: Sequence[Tensor] | None) -> Any:
        images = list(self.statistics.restore(image).unbind())
        if target is None:
            return images
        check_box_targets("TorchvisionDetection", target, len(images), len(self.classes))
        kept = [(part, ~ignored_of(part)) for part in target]
        return images, [
            {"boxes": part["boxes"].as_subclass(Tensor)[counts], "labels": part["labels"][counts].long()}
            for part, counts in kept
        ]

    def loss(self, output: Mapping[str, Tensor], target: Sequence[Mapping[str, Any]]) -> Tensor:
        if not isinstance(output, Mapping) or not output:
            raise ValueError(
                f"TorchvisionDetection expects the network's losses by name, got {type(output).__name__}; put the network "
                "into training mode and give it targets"
            )
        losses = [value.float() for value in output.values()]
        return sum(losses[1:], losses[0])

    def select(self, output: Sequence[Mapping[str, Tensor]], rows: Tensor) -> list[Mapping[str, Tensor]]:
        """Return the detections of the labelled images; they are one mapping per image.

        Raises:
            ValueError: The output is losses, which are of all images at once.
        """
        if isinstance(output, Mapping):
            raise ValueError(
                "torchvision's detectors give one loss for all images, got a batch of which some are not labelled; "
                "train on batches of one data set at a time"
            )
        return [output[i] for i in rows.tolist()]

    def soft(self, output: Sequence[Mapping[str, Tensor]], size: tuple[int, int]) -> Suppressed:
        return Suppressed(tuple(output), size)

    def harden(self, soft: Suppressed) -> list[dict[str, Any]]:
        found = []
        for part in soft.detections:
            objects = {name: part[name][part["labels"] > 0] for name in ("boxes", "scores", "labels")}
            found.append({**objects, "boxes": as_boxes(objects["boxes"], soft.size)})
        return found


@final
class Suppressed:
    """Detections after suppression, of which there is no mean; that of one network alone is itself."""

    def __init__(self, detections: tuple[Mapping[str, Tensor], ...], size: tuple[int, int]) -> None:
        self.detections, self.size = detections, size

    def __add__(self, other: Suppressed) -> Suppressed:
        raise ValueError(
            "torchvision's detectors return boxes after suppression, which an ensemble cannot average; make the ensemble "
            "of networks whose task is Detection or RoiDetection"
        )

    def __truediv__(self, count: float) -> Suppressed:
        return self
