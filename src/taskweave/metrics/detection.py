"""How good detections are, over a whole set of images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import torch
from torch import Tensor

from taskweave.metrics.detection_images import Curve, DetectedImage, DetectionMeasure, detected_image
from taskweave.metrics.gathering import gather_from_anywhere
from taskweave.metrics.per_image import PerImage
from taskweave.metrics.per_image_joined import JoinedImages
from taskweave.metrics.per_image_metric import PerImageMetric

_SAID, _THERE = 6, 7


@final
class DetectionMetric(PerImageMetric):
    """The numbers of all `measures`, from every detection and every true object of the set.

    ``update(predictions, targets)``: two lists, one mapping per image; predictions with boxes, scores, labels (after
    suppression), targets with boxes, labels and optionally ignore and visible, both in the pixels of one image.

    classes: how many; labels are 1..classes, and names are for curves.
    objects: makes such a target of another kind of target.
    Detections and objects are kept as float32 in main memory (24 and 28 bytes each) and exchanged between processes when
    the numbers are computed; how images are split into batches and processes changes nothing.
    """

    full_state_update = False
    detections: list[Tensor] | Tensor
    objects: list[Tensor] | Tensor
    counts: list[Tensor] | Tensor

    def __init__(
        self,
        classes: Sequence[str] | int,
        measures: Sequence[DetectionMeasure],
        *,
        objects: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__(dist_sync_fn=gather_from_anywhere)
        self.classes = tuple(f"class {i + 1}" for i in range(classes)) if isinstance(classes, int) else tuple(classes)
        self.measures = tuple(measures)
        self._objects = objects
        # Flat: a process without images holds an empty vector, which only flat ones can be joined to.
        for name in ("detections", "objects", "counts"):
            self.add_state(name, [], dist_reduce_fx="cat")

    def update(self, prediction: Sequence[Mapping[str, Any]], target: Sequence[Mapping[str, Any]]) -> None:
        if len(prediction) != len(target):
            raise ValueError(
                f"a detection metric expects one prediction per target, got {len(prediction)} and {len(target)}; "
                "give those of the same images"
            )
        truths = target if self._objects is None else [self._objects(part) for part in target]
        images = [detected_image(*pair) for pair in zip(prediction, truths, strict=True)]
        for image in images:
            self._check(image)
        for image in images:
            said = torch.cat([image.boxes, image.scores[:, None], image.labels[:, None]], 1)
            there = torch.cat([image.true_boxes, *(column[:, None].float() for column in image[4:])], 1)
            self._keep("detections", said)
            self._keep("objects", there)
            self._keep("counts", torch.tensor([len(said), len(there)], dtype=torch.float32))

    def compute(self) -> dict[str, Tensor]:
        images = self._images()
        numbers: dict[str, Tensor] = {}
        for measure in self.measures:
            numbers |= measure.measure(images, len(self.classes))
        return numbers

    def curves(self) -> list[Curve]:
        """The curves of all measures over the whole set, for `taskweave.reporting.draw_curves`."""
        images = self._everywhere()
        return [curve for measure in self.measures for curve in measure.curves(images, self.classes)]

    def per_class(self) -> dict[str, Tensor]:
        """The numbers by class, (classes,) each, NaN for a class without objects; only of measures that have such."""
        numbers: dict[str, Tensor] = {}
        for measure in self.measures:
            numbers |= measure.per_class(self._everywhere(), len(self.classes))
        return numbers

    def class_scores(self) -> dict[str, Tensor]:
        """The numbers by class, whose means those of the set are."""
        return self.per_class()

    def per_image(self) -> PerImage:
        """What each image contributes to the numbers of all measures."""
        images = self._everywhere()
        return JoinedImages(tuple(measure.per_image(images, len(self.classes)) for measure in self.measures))

    def counts_per_class(self) -> Tensor:
        """int64 (classes,): how many objects of each class there are, without those to be ignored."""
        labels = [image.true_labels[~image.ignore] for image in self._everywhere()]
        return torch.bincount(torch.cat([torch.empty(0, dtype=torch.int64), *labels]), minlength=len(self.classes) + 1)[1:]

    def _everywhere(self) -> list[DetectedImage]:
        """The images of all processes."""
        with self.sync_context(dist_sync_fn=self.dist_sync_fn):
            return self._images()

    def _keep(self, name: str, values: Tensor) -> None:
        getattr(self, name).append(values.flatten())

    def _images(self) -> list[DetectedImage]:
        """All images, in the order in which they came."""
        flat = [_joined(values) for values in (self.detections, self.objects, self.counts)]
        said_counts, there_counts = flat[2].view(-1, 2).long().T.tolist()
        said = torch.split(flat[0].view(-1, _SAID), said_counts)
        there = torch.split(flat[1].view(-1, _THERE), there_counts)
        return [_unpacked(*pair) for pair in zip(said, there, strict=True)]

    def _check(self, image: DetectedImage) -> None:
        for what, labels in (("a detection", image.labels), ("an object", image.true_labels)):
            outside = labels[(labels < 1) | (labels > len(self.classes))]
            if len(outside):
                raise ValueError(
                    f"{what} has the label {int(outside[0])}, outside the {len(self.classes)} classes "
                    f"(1..{len(self.classes)}; 0 is background); map it when reading the data"
                )
        if not image.scores.isfinite().all():
            score = float(image.scores[~image.scores.isfinite()][0])
            raise ValueError(f"a detection has the score {score}, expected a finite number; check the network's output")


def _joined(values: list[Tensor] | Tensor) -> Tensor:
    chunks = values if isinstance(values, list) else [values]
    return torch.cat([torch.empty(0), *(chunk.cpu() for chunk in chunks)])


def _unpacked(said: Tensor, there: Tensor) -> DetectedImage:
    return DetectedImage(
        said[:, :4], said[:, 4], said[:, 5].long(), there[:, :4], there[:, 4].long(), there[:, 5] > 0, there[:, 6]
    )
