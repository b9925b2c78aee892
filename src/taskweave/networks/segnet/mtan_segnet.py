"""MTAN on SegNet: one shared network, and for every task attention blocks that choose among its features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from taskweave.images import IMAGENET, ImageStatistics
from taskweave.networks.segnet.segnet_body import WIDTHS, SegNetBody, segnet_head
from taskweave.networks.segnet.stan_segnet import MTAN_ATTENTION, AttendedPath, STANSegNet, attention_column
from taskweave.streams.convert import as_stream
from taskweave.weaving.connect import UnitFactory
from taskweave.weaving.connected import Connected, Decoder


def mtan_segnet(
    outputs: Mapping[str, int],
    *,
    widths: Sequence[int] = WIDTHS,
    attention: UnitFactory = MTAN_ATTENTION,
    tasks: Mapping[str, Decoder] | None = None,
    statistics: ImageStatistics = IMAGENET,
) -> Connected:
    """A fresh MTAN; (B, 3, H, W) -> {task: (B, channels, H, W)}, any H and W.

    The SegNet is the trunk, f is shared too, and each task's stream goes on from the trunk's features with attention blocks
    of its own: `stan_segnet` with other tasks beside it. Every stream's network is such a STAN, whose `body` and `path` are
    the same objects for all tasks.
    Source: Liu et al., "End-to-end multi-task learning with attention" (CVPR 2019), section 3, figure 2.

    outputs: {task: channels of its output}.
    widths, attention: as in `stan_segnet`.
    tasks, statistics: as in `Connected`.
    Units between the tasks' columns: ``Connected({t: net.stream(t) for t in net.streams}, connections, trunk=net.trunk)``,
    at the stages attend_conv1_2 ... attend_dec1_2.
    Weights: ``load_vgg16(net.stream(task).net, ...)`` of any task loads the encoder that all share.
    Size: 44,203,985 parameters for 13, 1 and 3 channels, 1.77 times a `segnet_vgg16`.
    """
    body, path = SegNetBody(widths), AttendedPath(widths)
    streams = {
        name: as_stream(STANSegNet(body, path, attention_column(widths, attention), segnet_head(widths[0], channels)))
        for name, channels in outputs.items()
    }
    return Connected(streams, trunk=list(body.stages("body"))[-1], tasks=tasks, statistics=statistics)
