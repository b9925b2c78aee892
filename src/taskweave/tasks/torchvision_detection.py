"""torchvision's detectors, which choose anchors, compute losses and suppress by themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, final

from torch import Tensor

from taskweave.metrics.average_precision import AveragePrecision
from taskweave.metrics.detection_images import DetectionMeasure
from taskweave.tasks.anchor_loss import ignored_of
from taskweave.tasks.detection_checks import check_box_targets, class_names, joint_directions
from taskweave.tasks.detection_pictures import draw_boxes
from taskweave.tasks.detection_soft import as_boxes
from taskweave.tasks.task import Direction, Task

if TYPE_CHECKING:
    from torchmetrics import Metric


@final
class TorchvisionDetection(Task):
    """Outputs are what Faster R-CNN and RetinaNet of torchvision return: losses in training, else detections.

    The network is given (images, targets) where there are targets, else the images. Boxes to be ignored are left out of
    the network's targets, as torchvision knows none: where they lie is background to it. The metric knows them.
    Detections of label 0 are left out: RetinaNet has scores of background too, which an early one believes in.
    The loss is the sum of the network's losses. Suppression and score threshold are the network's own.
    Ensembles are refused: torchvision returns boxes after suppression, which cannot be averaged.

    classes: their names without background, or how many; the network is built with one more.
    prepare: what images (B, 3, H, W) go through first. torchvision's detectors normalise by themselves: give
        ``IMAGENET.restore`` where the data normalise too.
    metrics, shown: see `Detection`.
    """

    def __init__(
        self,
        classes: Sequence[str] | int,
        *,
        prepare: Callable[[Tensor], Tensor] | None = None,
        metrics: Sequence[DetectionMeasure] = (AveragePrecision(),),
        shown: float = 0.5,
    ) -> None:
        self.classes = class_names("TorchvisionDetection", classes)
        self.metrics = tuple(metrics)
        self._directions = joint_directions("TorchvisionDetection", metrics)
        self.prepare, self.shown = prepare, shown

    @property
    def directions(self) -> Mapping[str, Direction]:
        return self._directions

    @property
    def channels(self) -> int:
        """The network's num_classes: the classes and background."""
        return len(self.classes) + 1

    def network_input(self, image: Tensor, target: Any | None, rois: Sequence[Tensor] | None) -> Any:
        images = list((image if self.prepare is None else self.prepare(image)).unbind())
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

    def metric(self) -> Metric:
        from taskweave.metrics.detection import DetectionMetric

        return DetectionMetric(self.classes, self.metrics)

    def picture(self, value: Mapping[str, Any]) -> Tensor:
        """The boxes of one image in their classes' colours on black, those to be ignored in grey."""
        return draw_boxes(value, value["labels"], classes=len(self.classes), shown=self.shown)


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
