"""Split: one SegNet for all tasks up to its last convolution; MTAN's baseline of hard sharing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from taskweave.images import IMAGENET, ImageStatistics
from taskweave.networks.segnet.segnet_body import DEPTHS, WIDTHS, SegNetBody, check_widths, segnet_head
from taskweave.networks.segnet.segnet_vgg16 import SegNetVGG16
from taskweave.streams.convert import as_stream
from taskweave.weaving.connected import Connected, Decoder

Split = Literal["standard", "wide", "deep"]


def split_segnet(
    outputs: Mapping[str, int],
    *,
    kind: Split = "wide",
    widths: Sequence[int] = WIDTHS,
    tasks: Mapping[str, Decoder] | None = None,
    statistics: ImageStatistics = IMAGENET,
) -> Connected:
    """A fresh Split; (B, 3, H, W) -> {task: (B, channels, H, W)}, any H and W.

    One `segnet_vgg16`, whose encoder and decoder are the trunk, and a head for each task.
    Source: Liu et al., "End-to-end multi-task learning with attention" (CVPR 2019), section 4.1: "Split (Wide, Deep)" has
    more filters or more layers, until it has at least as many parameters as `mtan_segnet`.

    outputs: {task: channels of its output}.
    kind: "wide" doubles the channels of the fifth block, "deep" the convolutions of every block, "standard" neither. The
        paper does not print how they grew; this is its public code's.
    widths: as in `segnet_vgg16`, before they grow.
    tasks, statistics: as in `Connected`.
    Weights: ``load_vgg16(net.stream(task).net, ...)`` of any task, where the kind is "standard".
    Size for 13, 1 and 3 channels: 25,048,017 parameters ("standard"), 43,925,457 ("wide"), 50,793,425 ("deep").
    Raises ValueError for another kind and unless there are five positive widths.
    """
    if kind not in ("standard", "wide", "deep"):
        raise ValueError(f"kind is 'standard', 'wide' or 'deep', got {kind!r}")
    check_widths(widths)
    grown = (*widths[:-1], 2 * widths[-1]) if kind == "wide" else tuple(widths)
    body = SegNetBody(grown, depths=[2 * depth for depth in DEPTHS] if kind == "deep" else DEPTHS)
    streams = {name: as_stream(SegNetVGG16(body, segnet_head(widths[0], channels))) for name, channels in outputs.items()}
    return Connected(streams, trunk=list(body.stages("body"))[-1], tasks=tasks, statistics=statistics)
