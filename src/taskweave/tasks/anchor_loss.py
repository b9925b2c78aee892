"""Which anchors answer for which objects, and the loss of a detector with anchors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import box_iou

from taskweave.heads.anchors import ANCHOR_WEIGHTS, encode_boxes
from taskweave.heads.layers import AnchorOutputs
from taskweave.metrics.detection_images import share_inside
from taskweave.tasks.checks import no_loss, precise

NEITHER = -1
"""The label of an anchor or a region that is neither positive nor negative; 0 is background."""


@final
@dataclass(frozen=True)
class Matching:
    """Which anchors answer for which objects.

    Args:
        positive: An anchor with an IoU of at least this with an object is positive and takes the class of the object that
            it overlaps most.
        negative: An anchor below this with every object is background; those between are neither.
        keep_best: Whether the anchor (or anchors) with the highest IoU with an object is positive too, however low.
        ignored: Background anchors with this share of their area in one region to be ignored, or with an IoU of at least
            `negative` with it, are neither.
    """

    positive: float = 0.7
    negative: float = 0.3
    keep_best: bool = True
    ignored: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.negative <= self.positive <= 1 or not 0 < self.ignored <= 1:
            raise ValueError(
                "Matching needs 0 <= negative <= positive <= 1 and ignored above 0 and at most 1, "
                f"got {self.negative}, {self.positive} and {self.ignored}"
            )

    def assign(self, anchors: Tensor, target: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        """Match the anchors of one image.

        Returns:
            Labels (A,), 0 for background and -1 for neither, and the object (A, 4) of each positive anchor.
        """
        boxes, ignore = target["boxes"].as_subclass(Tensor).to(anchors), ignored_of(target)
        objects, regions, classes = boxes[~ignore], boxes[ignore], target["labels"][~ignore].long()
        labels = torch.zeros(len(anchors), dtype=torch.int64, device=anchors.device)
        theirs = anchors
        if len(objects):
            overlap = box_iou(objects, anchors)
            best, which = overlap.max(0)
            labels = torch.where(best < self.negative, 0, NEITHER)
            labels = torch.where(self._positive(overlap, best), classes[which], labels)
            theirs = objects[which]
        if len(regions):
            inside = share_inside(anchors, regions) >= self.ignored
            near = inside | (box_iou(anchors, regions) >= self.negative)
            labels = torch.where(near.any(1) & (labels == 0), NEITHER, labels)
        return labels, theirs

    def _positive(self, overlap: Tensor, best: Tensor) -> Tensor:
        positive = best >= self.positive
        if self.keep_best:
            highest = overlap.max(1, keepdim=True).values
            positive = positive | ((overlap == highest) & (highest > 0)).any(0)
        return positive


@final
@dataclass(frozen=True)
class Sampling:
    """Which anchors of an image count in the loss.

    Args:
        sample: At most so many, drawn at random (torch's generator of the main memory); None takes all.
        foreground: The largest share of them that is positive.
    """

    sample: int | None = 256
    foreground: float = 0.5

    def __post_init__(self) -> None:
        if (self.sample is not None and self.sample < 1) or not 0 < self.foreground <= 1:
            raise ValueError(
                "Sampling needs sample of at least 1 (or None) and foreground above 0 and at most 1, "
                f"got {self.sample} and {self.foreground}"
            )

    def draw(self, labels: Tensor) -> Tensor:
        """The labels (A,) with all that are not drawn turned to -1."""
        if self.sample is None:
            return labels
        most = int(self.sample * self.foreground)
        positive = _some((labels > 0).nonzero().flatten(), most)
        negative = _some((labels == 0).nonzero().flatten(), self.sample - len(positive))
        chosen = torch.cat([positive, negative])
        return torch.full_like(labels, NEITHER).index_put((chosen,), labels[chosen])

    def count(self, positive: Tensor, negative: Tensor) -> Tensor:
        """How many anchors are drawn of so many positive and negative ones (B,)."""
        if self.sample is None:
            return (positive + negative).sum()
        positive = positive.clamp(max=int(self.sample * self.foreground))
        return (positive + torch.minimum(negative, self.sample - positive)).sum()


@final
@dataclass(frozen=True)
class AnchorLoss:
    """Cross-entropy over sampled anchors plus smooth L1 over the positive ones, both divided by the number sampled.

    L = (1/N) [ sum_a CE(logits_a, label_a) + box_weight * sum_{a positive} smoothL1(deltas_a - code(object_a)) ],
    Ren et al. (2015, eq. 1) with torchvision's normalisation.

    Args:
        matching: Which anchors answer for which objects.
        sampling: Which of them count.
        beta: Where smooth L1 turns from square to line.
        box_weight: Factor of the boxes' part.
    """

    matching: Matching = Matching()
    sampling: Sampling = Sampling()
    beta: float = 1.0 / 9.0
    box_weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.beta >= 0 or not self.box_weight >= 0:
            raise ValueError(f"AnchorLoss needs beta and box_weight of at least 0, got {self.beta} and {self.box_weight}")

    def __call__(self, output: AnchorOutputs, targets: Sequence[Mapping[str, Any]]) -> Tensor:
        anchors = precise(output.anchors)
        logits, deltas = precise(output.logits), precise(output.deltas)
        found = [self.matching.assign(anchors, target) for target in targets]
        labels = torch.stack([self.sampling.draw(label) for label, _ in found])
        chosen, positive = labels != NEITHER, labels > 0
        if not chosen.any():
            return no_loss(logits) + no_loss(deltas)
        boxes = torch.cat([box[mine] for (_, box), mine in zip(found, positive, strict=True)])
        codes = encode_boxes(boxes, anchors.expand(len(labels), -1, -1)[positive], ANCHOR_WEIGHTS).detach()
        own = deltas[positive]
        return box_loss(logits, labels, own, codes, beta=self.beta, box_weight=self.box_weight)

    def count(self, output: AnchorOutputs, targets: Sequence[Mapping[str, Any]]) -> Tensor:
        """How many anchors are drawn, which does not depend on which."""
        labels = [self.matching.assign(precise(output.anchors), target)[0] for target in targets]
        positive = torch.stack([(label > 0).sum() for label in labels])
        negative = torch.stack([(label == 0).sum() for label in labels])
        return self.sampling.count(positive, negative)


def box_loss(logits: Tensor, labels: Tensor, deltas: Tensor, codes: Tensor, *, beta: float, box_weight: float) -> Tensor:
    """Return the loss of one batch: [ sum CE(logits, labels) + box_weight * sum smoothL1(deltas - codes) ] / N.

    N is the number of labels that are not `NEITHER`; the others are left out.

    Args:
        deltas: (p, 4), of the positive labels.
        codes: (p, 4), of the positive labels.
    """
    chosen = labels != NEITHER
    classified = F.cross_entropy(logits[chosen], labels[chosen], reduction="sum")
    placed = F.smooth_l1_loss(deltas, codes, beta=beta, reduction="sum")
    return (classified + box_weight * placed) / chosen.sum()


def ignored_of(target: Mapping[str, Any]) -> Tensor:
    """Which boxes of a target are to be ignored, bool (n,); none where it does not say."""
    ignore = target.get("ignore")
    return torch.zeros_like(target["labels"], dtype=torch.bool) if ignore is None else ignore.bool()


def _some(places: Tensor, most: int) -> Tensor:
    """At most so many of the places, at random."""
    if len(places) <= most:
        return places
    return places[torch.randperm(len(places))[:most].to(places.device)]
