"""Detection: a box and a class for every object; scored boxes, which ensembles average, and what is left of them."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, final

import torch
from annotated_types import Ge, Gt, Le, Len, Lt
from torch import Tensor
from torchmetrics import Metric
from torchvision import tv_tensors
from torchvision.ops import batched_nms, clip_boxes_to_image

from taskweave.heads.anchors import ANCHOR_WEIGHTS, decode_boxes
from taskweave.heads.layers import AnchorOutputs
from taskweave.metrics.average_precision import AveragePrecision
from taskweave.metrics.metric import JoinedMetric, directions_of
from taskweave.parts import Aside, Part, part
from taskweave.tasks.anchor_loss import AnchorLoss, Matching, Sampling
from taskweave.tasks.checks import check_box_targets, precise
from taskweave.tasks.pictures import Key, draw_boxes, keys_seen
from taskweave.tasks.task import Direction, Form, Named, Task, class_names

Metrics = tuple[Part[Metric], ...]
MEAN_AVERAGE_PRECISION: Metrics = (part(AveragePrecision),)


class DetectionTask(Task, ABC):
    """A box and a class for every object.

    Targets of the metric, one mapping per image: "boxes" (n, 4) as x1, y1, x2, y2 in pixels of the network's input,
    "labels" (n,) in 1..C, and optionally "ignore" (n,) bool. Predictions, one per image: "boxes", "scores", "labels".
    """

    dense: ClassVar[bool] = False
    regression: ClassVar[bool] = True
    counted: ClassVar[str] = "objects"

    def __init__(self, labels: Named, *, metrics: Metrics, shown: float) -> None:
        self.classes = class_names(type(self).__name__, labels, least=1, first=1)
        self.metrics, self.shown = tuple(metrics), shown
        self._directions = _joint(type(self).__name__, [directions_of(one(self)) for one in self.metrics])

    @property
    def directions(self) -> Mapping[str, Direction]:
        return self._directions

    @property
    def channels(self) -> int:
        """Logits of an anchor or a region: the classes and background."""
        return len(self.classes) + 1

    def metric(self) -> Metric:
        return JoinedMetric([one(self) for one in self.metrics])

    def class_counts(self, target: Mapping[str, Tensor]) -> Tensor:
        """Of the objects that are not to be ignored."""
        labels = target["labels"]
        counted = labels[~target["ignore"]] if "ignore" in target else labels
        return torch.bincount(counted, minlength=len(self.classes) + 1)[1:]

    def picture(self, value: Mapping[str, Any]) -> Tensor:
        """The boxes of one image in their classes' colours on black, those to be ignored in grey."""
        return draw_boxes(value, value["labels"], classes=len(self.classes), shown=self.shown)

    def legend(self, pictures: Iterable[Tensor]) -> list[Key]:
        return keys_seen(self.classes, pictures)


def _joint(task: str, each: Sequence[Mapping[str, Direction]]) -> dict[str, Direction]:
    """The directions of all metrics; raise ValueError for none, or two of one name."""
    names = [name for directions in each for name in directions]
    if not names or len(set(names)) < len(names):
        raise ValueError(
            f"{task} needs metrics with different names, got {names}; give each its own, e.g. "
            "part(AveragePrecision, name='AP11')"
        )
    return {name: direction for directions in each for name, direction in directions.items()}


@final
@dataclass(frozen=True)
class Suppression:
    """How scored boxes become detections.

    Args:
        nms: Of two boxes of one class with a higher IoU the lower-scored one is dropped; .7 for pedestrians and .1 for
            birds in the cross-connected paper, .3 in Fast R-CNN.
        score: Only boxes with a higher score are kept.
        candidates: The most boxes per image before suppression.
        detections: The most boxes per image after suppression.
    """

    nms: float = 0.5
    score: float = 0.05
    candidates: int = 1000
    detections: int = 100

    def __post_init__(self) -> None:
        if not 0 <= self.nms <= 1 or not 0 <= self.score < 1 or self.candidates < 1 or self.detections < 1:
            raise ValueError(
                f"Suppression needs nms in 0..1, score in 0..1 (not 1), candidates and detections of 1 or more, got {self}"
            )


@final
@dataclass(frozen=True)
class SoftBoxes:
    """Scores and boxes of every region, per image.

    Sums and quotients act on scores and boxes; only predictions for the same regions can be added.

    Args:
        scores: (n, C) for the classes, without background.
        boxes: (n, C, 4), or (n, 1, 4) for one box for all classes.
        regions: (n, 4) anchors or regions of interest that were classified.
        size: (height, width) of the images.
    """

    scores: tuple[Tensor, ...]
    boxes: tuple[Tensor, ...]
    regions: tuple[Tensor, ...]
    size: tuple[int, int]

    def __add__(self, other: SoftBoxes) -> SoftBoxes:
        same = len(self.regions) == len(other.regions) and all(
            mine.shape == yours.shape and torch.equal(mine, yours)
            for mine, yours in zip(self.regions, other.regions, strict=True)
        )
        if not same:
            raise ValueError(
                "an ensemble of detectors averages over the same regions, got members with different ones "
                f"({[len(part) for part in self.regions]} and {[len(part) for part in other.regions]} per image); "
                "give all members the same proposals, or anchors"
            )
        return replace(
            self,
            scores=tuple(a + b for a, b in zip(self.scores, other.scores, strict=True)),
            boxes=tuple(a + b for a, b in zip(self.boxes, other.boxes, strict=True)),
        )

    def __truediv__(self, count: float) -> SoftBoxes:
        return replace(
            self, scores=tuple(part / count for part in self.scores), boxes=tuple(part / count for part in self.boxes)
        )


def suppressed(soft: SoftBoxes, rule: Suppression) -> list[dict[str, Any]]:
    """Per image {"boxes" (n, 4), "scores" (n,), "labels" (n,) from 1}, suppressed within each class, highest score first.

    Boxes are clipped to the image; what is then without extent is left out.
    """
    return [_detections(*pair, soft.size, rule) for pair in zip(soft.scores, soft.boxes, strict=True)]


def _detections(scores: Tensor, boxes: Tensor, size: tuple[int, int], rule: Suppression) -> dict[str, Any]:
    boxes = clip_boxes_to_image(boxes, size)
    real = (boxes[..., 2] > boxes[..., 0]) & (boxes[..., 3] > boxes[..., 1])
    row, column = ((scores > rule.score) & real).nonzero(as_tuple=True)
    chosen, order = scores[row, column].sort(descending=True, stable=True)
    chosen, order = chosen[: rule.candidates], order[: rule.candidates]
    row, column = row[order], column[order]
    found = boxes.expand(-1, scores.shape[1], -1)[row, column]
    keep = batched_nms(found, chosen, column, rule.nms)[: rule.detections]
    return {"boxes": as_boxes(found[keep], size), "scores": chosen[keep], "labels": column[keep] + 1}


def as_boxes(boxes: Tensor, size: tuple[int, int]) -> tv_tensors.BoundingBoxes:
    """(n, 4) as BoundingBoxes, which know their image's size (height, width)."""
    return tv_tensors.BoundingBoxes(boxes, format=tv_tensors.BoundingBoxFormat.XYXY, canvas_size=size)


@final
class Detection(DetectionTask):
    """Object detection with anchors.

    Outputs are `AnchorOutputs`, of a region proposal network as the detector or any other network with anchors.

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
        """Return probabilities (A, C) and boxes (A, 1, 4) for each image.

        Args:
            size: (height, width) of the network's input; boxes are not resized.
        """
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
