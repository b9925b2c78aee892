"""MT-UNet: one dense encoder, a decoder with attention for every task, and cross-talk between the decoders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from taskweave.networks.unet.st_unet import HEARS, STUNet, st_unet
from taskweave.parts import Part, part, states
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Stream
from taskweave.units.cross_connection import CrossTalk
from taskweave.units.unit import Unit
from taskweave.weaving.connect import connect
from taskweave.weaving.connected import Connected
from taskweave.weaving.plan import Connection
from taskweave.weaving.share import share

TRUNK = "bottleneck"
"""The last stage that all tasks share."""


def _check(options: Mapping[str, Any]) -> None:
    if options["network"].call is not st_unet:
        raise ValueError(f"network is an st_unet with options of its own, got {options['network'].name!r}")


@states(
    title=lambda options: "MT-UNet" if options["cross_talk"] else "MT-UNet without cross-talk",
    check=_check,
    dense_counterpart=lambda options: options["network"],
    gives="map",
)
def mt_unet(
    outputs: Mapping[str, int],
    *,
    network: Part[nn.Module] = part(st_unet),
    cross_talk: bool = True,
    unit: Part[Unit] | None = None,
    at: tuple[str, ...] = STUNet.usual_stages,
) -> Connected:
    """Build an MT-UNet, `st_unet` streams that share encoder and bottleneck: (B, 3, H, W) -> {task: (B, channels, H, W)}.

    The first stream keeps its network; the others' encoder and bottleneck are its own modules. In a network with cross-talk
    block 3 of each stream has room for the others' features, and reads zeros where the stream runs alone.
    Source: MT-UNet (paper 5178), figure 2; two tasks there, any number from two on here.
    Size: 85,761,742 parameters for 13 and 1 channels; 85,171,918 without cross-talk.

    Args:
        outputs: {task: channels of its output}.
        network: The `st_unet` of every task.
        cross_talk: Whether decoder block 2 of each task is concatenated to the input of block 3 of all others
            (`CrossTalk`), after the sender's own upsampling. The paper prints neither how a feature crosses nor what
            doubles its size; to add instead of concatenating: cross_talk=False, at=("up2",),
            unit=part(CrossConnection, linear=True).
        unit: A unit between the decoders, new at each stage of `at`; None for none.
        at: Any of decoder1, up1, decoder2, up2, decoder3, up3, decoder4. Cross-talk sits at up2 and may go with units
            elsewhere.

    Raises:
        ValueError: There are fewer than two tasks, `network` is another one, or a stage is not behind the shared ones.
    """
    if len(outputs) < 2:
        raise ValueError(f"mt_unet needs at least two tasks, got {dict(outputs)}; for one there is st_unet(channels)")
    _check({"network": network})
    if cross_talk:
        network = network.replace(guests=len(outputs) - 1)
    shared = share({name: as_stream(network(channels)) for name, channels in outputs.items()}, until=TRUNK)
    streams = {name: shared.stream(name) for name in outputs}
    meetings: list[tuple[str, Part[Unit]]] = [] if unit is None else [(stage, unit) for stage in at]
    if cross_talk:
        meetings.append((f"up{HEARS - 1}", part(CrossTalk)))
    return Connected(streams, _connections(streams, meetings), trunk=TRUNK)


def _connections(streams: Mapping[str, Stream], meetings: Sequence[tuple[str, Part[Unit]]]) -> list[Connection]:
    """A connection of all streams at each stage, in the order of the stages."""
    first = next(iter(streams.values()))
    order = list(first.stages)
    behind = order[order.index(TRUNK) + 1 :]
    for stage, _ in meetings:
        if stage not in behind:
            raise ValueError(f"at={stage!r}: the decoders of an MT-UNet can meet at {behind}; all before is shared")
    ordered = sorted(meetings, key=lambda meeting: order.index(meeting[0]))
    units = iter([unit for _, unit in ordered])
    like = next(first.parameters())
    connected = connect(
        streams,
        [stage for stage, _ in ordered],
        lambda shapes: next(units)(shapes),
        example=torch.zeros(1, 3, 32, 32, dtype=like.dtype, device=like.device),
        prove=False,
    )
    return list(connected.connections)
