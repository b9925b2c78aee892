"""What detection networks return: raw head outputs, as named tuples so that they compile and export."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class AnchorOutputs(NamedTuple):
    """One prediction per anchor: a region proposal network as the detector, RetinaNet.

    logits: (B, A, C + 1), class 0 is background.  deltas: (B, A, 4), coded against the anchors.
    anchors: (A, 4) as x1, y1, x2, y2 in pixels of the input.
    """

    logits: Tensor
    deltas: Tensor
    anchors: Tensor


class RoiOutputs(NamedTuple):
    """One prediction per region of interest: Fast R-CNN.

    logits: (R, C + 1), class 0 is background.  deltas: (R, 4 (C + 1)), coded against the regions.
    rois: per image (r_i, 4); R = sum r_i, in the order of the images.
    """

    logits: Tensor
    deltas: Tensor
    rois: tuple[Tensor, ...]


class RoiAttributes(NamedTuple):
    """Attribute scores per region of interest. logits: (R, number of attributes).  rois: as in `RoiOutputs`."""

    logits: Tensor
    rois: tuple[Tensor, ...]
