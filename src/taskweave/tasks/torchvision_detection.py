"""torchvision's detectors, which choose anchors, compute losses and suppress by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, final

from annotated_types import Ge, Le, Len
from torch import Tensor
from torchmetrics import Metric

from taskweave.parts import Aside, Part
from taskweave.tasks.anchor_loss import ignored_of
from taskweave.tasks.checks import check_box_targets
from taskweave.tasks.detections import MEAN_AVERAGE_PRECISION, DetectionTask, as_boxes
from taskweave.tasks.labels import Named, as_labels
from taskweave.tasks.task import Form


@final
class TorchvisionDetection(DetectionTask):
    """Outputs are what Faster R-CNN and RetinaNet of torchvision return: losses in training, else detections.

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
        return images, [_without_ignored(part) for part in target]

    def loss(self, output: Mapping[str, Tensor], target: Sequence[Mapping[str, Any]]) -> Tensor:
        if not isinstance(output, Mapping) or not output:
            raise ValueError(
                f"TorchvisionDetection expects the network's losses by name, got {type(output).__name__}; put the network "
                "into training mode and give it targets"
            )
        losses = [value.float() for value in output.values()]
        return sum(losses[1:], losses[0])

    def select(self, output: Sequence[Mapping[str, Tensor]], rows: Tensor) -> list[Mapping[str, Tensor]]:
        """Detections are one mapping per image. Raises ValueError for losses: they are of all images at once."""
        if isinstance(output, Mapping):
            raise ValueError(
                "torchvision's detectors give one loss for all images, got a batch of which some are not labelled; "
                "train on batches of one data set at a time"
            )
        return [output[i] for i in rows.tolist()]

    def soft(self, output: Sequence[Mapping[str, Tensor]], size: tuple[int, int]) -> Suppressed:
        return Suppressed(tuple(output), size)

    def harden(self, soft: Suppressed) -> list[dict[str, Any]]:
        return [_objects(part, soft.size) for part in soft.detections]


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


def _objects(detections: Mapping[str, Tensor], size: tuple[int, int]) -> dict[str, Any]:
    found = {name: detections[name][detections["labels"] > 0] for name in ("boxes", "scores", "labels")}
    return {**found, "boxes": as_boxes(found["boxes"], size)}


def _without_ignored(target: Mapping[str, Any]) -> dict[str, Tensor]:
    counts = ~ignored_of(target)
    return {"boxes": target["boxes"].as_subclass(Tensor)[counts], "labels": target["labels"][counts].long()}
