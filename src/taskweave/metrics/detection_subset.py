"""Which objects a benchmark asks for; the others become regions to be ignored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch

from taskweave.metrics.detection_images import DetectedImage


@final
@dataclass(frozen=True)
class Subset:
    """Objects at least `min_height` pixels high of which at least the share `min_visible` can be seen.

    Objects outside it are ignored: finding them is neither right nor wrong. Targets without "visible" are seen whole.
    Detections lower than min_height / slack do not count at all, since they can only answer to objects outside (the
    "expanded filtering" of Dollár et al. 2012, with slack 1.25).
    Pixels are those of the picture as the network sees it: where data are enlarged, enlarge min_height.
    """

    min_height: float = 0.0
    min_visible: float = 0.0
    slack: float = 1.25

    def __post_init__(self) -> None:
        if not self.min_height >= 0 or not 0 <= self.min_visible <= 1 or not self.slack >= 1:
            raise ValueError(f"a Subset needs min_height >= 0, min_visible in 0..1 and slack >= 1, got {self}")

    def applied(self, image: DetectedImage) -> DetectedImage:
        """The image with every object outside the subset ignored, and without the detections that are too low."""
        height = image.true_boxes[:, 3] - image.true_boxes[:, 1]
        visible = image.visible >= torch.tensor(self.min_visible, dtype=image.visible.dtype)
        outside = (height < self.min_height) | ~visible
        counts = image.boxes[:, 3] - image.boxes[:, 1] >= self.min_height / self.slack
        boxes, scores, labels = (value[counts] for value in image[:3])
        return image._replace(boxes=boxes, scores=scores, labels=labels, ignore=image.ignore | outside)


REASONABLE = Subset(min_height=50.0, min_visible=0.65)
"""Pedestrians at least 50 pixels high and at least 65 % visible (Dollár et al. 2012; the cross-connected paper)."""

BIRDS = Subset(min_height=15.0)
"""Birds at least 15 pixels high (the cross-connected paper; it says "taller than 15 pixels")."""
