"""MT-UNet: one dense encoder, a decoder with attention for every task, and cross-talk between the decoders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch

from taskweave.features import FeatureShape
from taskweave.images import IMAGENET, ImageStatistics
from taskweave.networks.unet.st_unet import HEARS, STUNet, st_unet
from taskweave.networks.unet.unet_blocks import Dense, Skip, Upsampling
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Stream
from taskweave.units.cross_talk import CrossTalk
from taskweave.units.unit import Unit
from taskweave.weaving.connect import UnitFactory, connect
from taskweave.weaving.connected import Connected, Decoder
from taskweave.weaving.connection import Connection
from taskweave.weaving.share import share

TRUNK = "bottleneck"
"""The last stage that all tasks share."""


def mt_unet(
    outputs: Mapping[str, int],
    *,
    cross_talk: bool = True,
    unit: UnitFactory | Unit | None = None,
    at: Sequence[str] = STUNet.places,
    widths: Sequence[int] = (64, 128, 256, 512),
    decoder_widths: Sequence[int] | None = None,
    bottleneck: tuple[int, int] | None = None,
    dense: Dense = "encoder",
    skip: Skip = "last",
    upsampling: Upsampling = "transposed",
    attention: bool | UnitFactory = True,
    dropout: float = 0.2,
    bn_eps: float = 1e-5,
    tasks: Mapping[str, Decoder] | None = None,
    statistics: ImageStatistics = IMAGENET,
) -> Connected:
    """A fresh MT-UNet: streams of `st_unet` that share encoder and bottleneck, (B, 3, H, W) -> {task: (B, channels, H, W)}.

    Source: MT-UNet (paper 5178), figure 2; two tasks there, any number from two on here.

    outputs: {task: channels of its output}.
    cross_talk: decoder block 2 of each task is concatenated to the input of block 3 of all others (`CrossTalk`), after the
        sender's own upsampling. The paper prints neither how a feature crosses nor what doubles its size; to add
        instead of concatenating: cross_talk=False, at=["up2"], unit=partial(CrossConnection, linear=True).
    unit, at: any unit between the decoders, at these stages of decoder1, up1, decoder2, up2, decoder3, up3, decoder4. One
        object serves all. Cross-talk sits at up2 and may go with units elsewhere.
    The rest: as in `st_unet`, one choice for all tasks.
    tasks, statistics: as in `Connected`.

    The first stream keeps its network; the others' encoder and bottleneck are its own modules. In a network with cross-talk
    block 3 of each stream has room for the others' features, and hears zeros where the stream runs alone.
    Size: 85,761,742 parameters for 13 and 1 channels; 85,171,918 without cross-talk.
    Raises ValueError for fewer than two tasks, and for a stage that is not behind the shared ones.
    """
    if len(outputs) < 2:
        raise ValueError(f"mt_unet needs at least two tasks, got {dict(outputs)}; for one there is st_unet(channels)")
    streams: dict[str, Stream] = {}
    for name, channels in outputs.items():
        net = st_unet(
            channels,
            widths=widths,
            decoder_widths=decoder_widths,
            bottleneck=bottleneck,
            dense=dense,
            skip=skip,
            upsampling=upsampling,
            attention=attention,
            dropout=dropout,
            bn_eps=bn_eps,
            guests=len(outputs) - 1 if cross_talk else 0,
        )
        streams[name] = as_stream(net)
    shared = share(streams, until=TRUNK)
    streams = {name: shared.stream(name) for name in streams}
    places = [] if unit is None else [(stage, _factory(unit)) for stage in at]
    if cross_talk:
        places.append((f"up{HEARS - 1}", CrossTalk))
    return Connected(streams, _connections(streams, places), trunk=TRUNK, tasks=tasks, statistics=statistics)


_Build = Callable[[list[FeatureShape]], Unit]


def _factory(unit: UnitFactory | Unit) -> _Build:
    return (lambda shapes: unit) if isinstance(unit, Unit) else unit


def _connections(streams: Mapping[str, Stream], places: Sequence[tuple[str, _Build]]) -> list[Connection]:
    """A connection of all streams at each place, in the order of the stages."""
    first = next(iter(streams.values()))
    order = list(first.stages)
    behind = order[order.index(TRUNK) + 1 :]
    for stage, _ in places:
        if stage not in behind:
            raise ValueError(f"at={stage!r}: the decoders of an MT-UNet can meet at {behind}; all before is shared")
    ordered = sorted(places, key=lambda place: order.index(place[0]))
    builders = iter([build for _, build in ordered])
    like = next(first.parameters())
    connected = connect(
        streams,
        [stage for stage, _ in ordered],
        lambda shapes: next(builders)(shapes),
        example=torch.zeros(1, 3, 32, 32, dtype=like.dtype, device=like.device),
        prove=False,
    )
    return [connected.connection(index) for index in range(len(connected.connections))]
