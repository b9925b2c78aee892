"""Tasks on boxes, and the protocols by which detections are measured."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self, final

from pydantic import Field, model_validator

from taskweave.experiments.choices.choice import Choice
from taskweave.experiments.choices.regions import Fraction
from taskweave.experiments.choices.taskchoice import TaskChoice


class MeasureChoice(Choice):
    """What protocols state that ask for a subset of the objects; those outside it are ignored."""

    name: str
    """Of the number in tables; different for every protocol of a task."""
    iou: Fraction = 0.5
    """From this overlap on a detection has found an object."""
    min_height: float = Field(default=0.0, ge=0.0)
    """Lower objects are ignored; pixels of the network's input."""
    min_visible: Fraction = 0.0
    """Objects of which a smaller share can be seen are ignored, where the data say what can be seen."""


@final
class VOCAveragePrecision(MeasureChoice):
    """The mean over classes of PASCAL VOC's average precision."""

    kind: Literal["voc_ap"] = "voc_ap"
    name: str = "mAP"
    interpolation: Literal["11-point", "area"] = "area"
    """11-point: VOC 2007 to 2009, so aPascal; area: from 2010 on."""


@final
class LogAverageMissRate(MeasureChoice):
    """The geometric mean of the miss rates at points log-spaced between two numbers of false positives per image."""

    kind: Literal["miss_rate"] = "miss_rate"
    name: str = "MR"
    low: float = Field(default=1e-2, gt=0.0)
    high: float = Field(default=1.0, gt=0.0)
    points: int = Field(default=9, ge=2)

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low must be below high, got low={self.low:g}, high={self.high:g}")
        return self


@final
class COCOAveragePrecision(Choice):
    """AP, AP50 and AP75 as COCO has them (needs taskweave[detection])."""

    kind: Literal["coco_ap"] = "coco_ap"


Measure = Annotated[VOCAveragePrecision | LogAverageMissRate | COCOAveragePrecision, Field(discriminator="kind")]


@final
class Matching(Choice):
    """Which anchors answer for which objects, and how many are drawn for the loss; of detectors with anchors."""

    positive: Fraction = 0.7
    negative: Fraction = 0.3
    sample: int | None = Field(default=256, ge=1)
    """Anchors of an image; None takes all."""
    foreground: float = Field(default=0.5, gt=0.0, le=1.0)
    """The largest share of them that is positive."""

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.negative > self.positive:
            raise ValueError(f"negative must not be above positive, got {self.negative} and {self.positive}")
        return self


@final
class DetectionTask(TaskChoice):
    """A box and a class for every object; how the loss is taken is the network's to say (anchors, regions, torchvision)."""

    measures: Annotated[tuple[Measure, ...], Field(min_length=1)] = (VOCAveragePrecision(),)
    """What is measured, in the order of the table's columns."""
    nms: Fraction = 0.5
    """Of two boxes of a class with a larger overlap the lower-scored goes; torchvision's detectors too."""
    score: float = Field(default=0.05, ge=0.0, lt=1.0)
    """Only boxes with a higher score count as detections."""
    detections: int = Field(default=100, ge=1)
    """At most so many per image."""
    box_weight: float = Field(default=1.0, ge=0.0)
    """Factor of the boxes' smooth L1 loss beside the classes' cross-entropy."""
    matching: Matching = Matching()
    shown: float = Field(default=0.5, ge=0.0, le=1.0)
    """The least score of a box in pictures; changes no result."""

    unimportant: ClassVar[frozenset[str]] = frozenset({"shown"})


@final
class AttributesTask(TaskChoice):
    """Yes or no for each attribute of each object."""

    scale: float | None = Field(default=None, gt=0.0)
    """Factor of the loss summed over attributes; None for 1 / their number (1/64 in the cross-stitch paper)."""
    measured_on: Literal["boxes", "detections"] = "boxes"
    """Ranked on the true boxes, or on detected ones, where a region must also lie on an object."""
    interpolation: Literal["11-point", "area"] = "area"
    nms: Fraction = 0.3
    """Of attributes measured on detections."""
