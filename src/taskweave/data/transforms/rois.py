"""From proposals to the regions that a network looks at: some of them to train on, all of them to measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, final

import torch
from torch import Tensor

from taskweave.data.boxes import area, deltas, iou, overlap, tidy
from taskweave.data.facts import ATTRIBUTES, DETECTION
from taskweave.data.sample import Sample

ROI_WEIGHTS = (10.0, 10.0, 5.0, 5.0)
"""Of the coded deltas, as in Fast R-CNN and torchvision."""


class Truth(NamedTuple):
    """n labelled boxes of an image.

    Args:
        boxes: (n, 4).
        labels: (n,) from 1.
        ignore: (n,) bool.
    """

    boxes: Tensor
    labels: Tensor
    ignore: Tensor


class Match(NamedTuple):
    """Of each of P candidates: which box is nearest to it, and whether it may be drawn as foreground, or as background."""

    nearest: Tensor
    foreground: Tensor
    background: Tensor
    easy: Tensor


@final
class SampleRois:
    """Draws ``rois`` (R, 4), R <= `count`, from ``proposals``, once per image, so that all streams see the same regions.

    Put it behind what moves boxes (`Resize`, flips, crops): its results are plain tensors that no transform moves.
    Foreground are proposals of an IoU of at least `iou` with a box; background those whose largest IoU is in `background`
    (from, to), and, where these are too few, below it. At most the share `foreground` of R is foreground (1 : 3 in Fast
    R-CNN). Proposals that match an ignored box best, or lie in one by half, are neither.

    The targets become those of the regions: ``detection`` {"labels": int64 (R,), 0 = background; "deltas": float32 (R, 4),
    coded with `ROI_WEIGHTS`, zeros on background}; ``attributes`` {"values": float32 (R, A), NaN on background}. An image
    without boxes has background only; one without labels (another data set's) has `count` proposals drawn evenly.

    Args:
        with_ground_truth: Whether the boxes themselves are candidates too, as in Fast R-CNN's code.
        detection, attributes: The names of the two tasks.
    """

    def __init__(
        self,
        count: int = 64,
        *,
        foreground: float = 0.25,
        iou: float = 0.5,
        background: tuple[float, float] = (0.1, 0.5),
        with_ground_truth: bool = False,
        detection: str = DETECTION,
        attributes: str = ATTRIBUTES,
    ) -> None:
        if count < 1 or not 0 < foreground < 1 or not 0 <= background[0] < background[1] <= iou <= 1:
            raise ValueError(
                f"need count >= 1, 0 < foreground < 1, 0 <= background[0] < background[1] <= iou <= 1, "
                f"got {count}, {foreground}, {background}, {iou}"
            )
        self.count = count
        self.foreground = foreground
        self.iou = iou
        self.background = background
        self.with_ground_truth = with_ground_truth
        self.detection = detection
        self.attributes = attributes

    def __call__(self, sample: Sample) -> Sample:
        candidates, rest = taken_proposals(sample)
        truth = self._truth(rest)
        if truth is None:
            return {**rest, "rois": candidates[torch.randperm(len(candidates))[: self.count]]}
        if self.with_ground_truth:
            candidates = torch.cat([candidates, truth.boxes[~truth.ignore]])
        match = self._match(candidates, truth)
        positive, negative = self._drawn(match)
        rois = torch.cat([candidates[positive], candidates[negative]])
        nearest = match.nearest[positive]
        return {**rest, **self._targets(rest, truth, rois=rois, nearest=nearest), "rois": rois}

    def _truth(self, sample: Mapping[str, Any]) -> Truth | None:
        for name in (self.detection, self.attributes):
            if name in sample:
                boxes, labels = (sample[name][part].as_subclass(Tensor) for part in ("boxes", "labels"))
                ignore = sample[name].get("ignore", torch.zeros(len(labels), dtype=torch.bool))
                return Truth(boxes, labels, ignore.as_subclass(Tensor))
        return None

    def _match(self, candidates: Tensor, truth: Truth) -> Match:
        if len(truth.labels) == 0:
            none = torch.zeros(len(candidates), dtype=torch.bool)
            return Match(torch.zeros(len(candidates), dtype=torch.int64), none, none, ~none)
        overlaps = iou(candidates, truth.boxes)
        best, nearest = overlaps.max(dim=1)
        inside = overlap(candidates, truth.boxes[truth.ignore]) / area(candidates)[:, None]
        foreground = (best >= self.iou) & ~truth.ignore[nearest]
        # an ignored region is often a crowd, larger than what is in it: IoU would call its members background
        barred = (inside >= 0.5).any(dim=1) | ((best >= self.iou) & truth.ignore[nearest])
        low, high = self.background
        known = overlaps.masked_fill(truth.ignore[None], 0).amax(dim=1)
        background = (known < high) & ~foreground & ~barred
        return Match(nearest, foreground, background & (known >= low), background & (known < low))

    def _drawn(self, match: Match) -> tuple[Tensor, Tensor]:
        """Which candidates are drawn as foreground, and which as background: hard ones first."""
        positive, hard, easy = (_shuffled(mask) for mask in (match.foreground, match.background, match.easy))
        wanted = min(int(self.count * self.foreground), len(positive))
        negative = torch.cat([hard, easy])[: self.count - wanted]
        most = int(len(negative) * self.foreground / (1 - self.foreground) + 1e-9)
        return positive[: min(wanted, most)], negative

    def _targets(
        self, sample: Mapping[str, Any], truth: Truth, *, rois: Tensor, nearest: Tensor
    ) -> dict[str, dict[str, Tensor]]:
        """Rows of the foreground come first; the others are background."""
        positive, targets = len(nearest), {}
        if self.detection in sample:
            labels, coded = torch.zeros(len(rois), dtype=torch.int64), torch.zeros(len(rois), 4)
            labels[:positive] = truth.labels[nearest]
            coded[:positive] = deltas(truth.boxes[nearest], rois[:positive], ROI_WEIGHTS)
            targets[self.detection] = {"labels": labels, "deltas": coded}
        if self.attributes in sample:
            given = sample[self.attributes]["values"]
            values = torch.full((len(rois), given.shape[1]), torch.nan)
            values[:positive] = given.as_subclass(Tensor)[nearest]
            targets[self.attributes] = {"values": values}
        return targets


@final
class AllRois:
    """Use all ``proposals`` as ``rois``, for evaluation; the targets stay boxes.

    Raises:
        ValueError: The sample has no proposals.
    """

    def __call__(self, sample: Sample) -> Sample:
        rois, rest = taken_proposals(sample)
        return {**rest, "rois": rois}


@final
class TargetRois:
    """``rois`` = the boxes of a target, to measure attributes of known objects. Never for detection: it gives the answer.

    Images without boxes, or without the target `task`, get no regions.
    """

    def __init__(self, task: str = ATTRIBUTES) -> None:
        self.task = task

    def __call__(self, sample: Sample) -> Sample:
        rest = tidy({name: value for name, value in sample.items() if name != "proposals"})
        boxes = rest[self.task]["boxes"] if self.task in rest else torch.zeros(0, 4)
        return {**rest, "rois": boxes.as_subclass(Tensor)}


def taken_proposals(sample: Sample) -> tuple[Tensor, dict[str, Any]]:
    """A sample's proposals and the rest of the sample, all boxes within the image and with an extent."""
    if "proposals" not in sample:
        raise ValueError(
            f"sample {sample.get('key')!r} has no proposals, it has {sorted(sample)}: wrap its data set in WithProposals"
        )
    rest = tidy(sample)
    return rest.pop("proposals").as_subclass(Tensor), rest


def _shuffled(mask: Tensor) -> Tensor:
    """The rows where `mask` holds, in random order."""
    rows = mask.nonzero()[:, 0]
    return rows[torch.randperm(len(rows))]
