"""The pet paper's open-ended question: a segmentation network whose decoder also reads two encoders trained before it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, final

import torch
from torch import Tensor, nn

from taskweave.features import FeatureShape
from taskweave.heads.layers import Count
from taskweave.networks.pets.pet_blocks import (
    DEEPEST,
    STAGES,
    decoder_channels,
    doubling,
    pet_encoder,
    pet_stem,
    without_statistics,
)
from taskweave.networks.pets.pet_nets import (
    Hidden,
    Kernel,
    PetMapNet,
    PetNumbersNet,
    least_with_decoder,
    least_without_decoder,
    pet_dense,
    pet_numbers_net,
)
from taskweave.networks.pets.pet_segnet import branches_of, check_branches, maps_last, titled
from taskweave.parts import Part, part, states
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Stream
from taskweave.units.cross_connection import CrossTalk
from taskweave.units.cross_stitch import CrossStitch
from taskweave.units.lane_mixing import LaneMixing, Lanes
from taskweave.units.mixing import mixing_matrix
from taskweave.units.unit import Unit
from taskweave.weaving.connect import connect
from taskweave.weaving.connected import Connected
from taskweave.weaving.plan import Connection, Place

_END = f"encoder{STAGES}"


@states(
    title=lambda options: titled("auxiliary networks", options),
    check=check_branches,
    dense_counterpart=pet_dense,
    gives="numbers",
    least_size=least_without_decoder,
)
def pet_auxiliaries(
    outputs: Mapping[str, int],
    *,
    branches: tuple[str, ...] = (),
    stem_kernel: Kernel = 7,
    batch_statistics: bool = False,
    unused_matrix: bool = False,
    width: Count = 16,
    hidden: Hidden = (200, 80),
) -> Connected:
    """Build the networks that `pet_oeq` reads, side by side, to be trained first: (B, 3, H, W) -> {branch: (B, numbers)}.

    Each has a stem, 7x7 as published, an encoder and a head. They exchange nothing.
    Size: 10,296,886 parameters for a species and a box.

    Args:
        outputs: {task: channels of its output}; in the paper species and box.
        branches: The tasks that have a network, in order; () for all of `outputs`.
        stem_kernel: As in `pet_map_net`.
        batch_statistics: As in `pet_map_net`.
        unused_matrix: Whether the K x K numbers that the public code has here, and does not use, are registered too.
        width: As in `pet_map_net`.
        hidden: As in `pet_numbers_net`.

    Raises:
        ValueError: A branch is no task or named twice.
    """
    streams = {
        name: as_stream(
            pet_numbers_net(
                outputs[name], width=width, hidden=hidden, stem_kernel=stem_kernel, batch_statistics=batch_statistics
            )
        )
        for name in branches_of(branches, outputs)
    }
    idle = [Connection(dict.fromkeys(streams, "stem"), _Unused(len(streams)))] if unused_matrix else []
    return Connected(streams, idle)


def _auxiliaries(options: Mapping[str, Any], tasks: tuple[str, ...]) -> Part[Connected]:
    """What is trained before a `pet_oeq` of some tasks."""
    same = ("stem_kernel", "batch_statistics", "unused_matrix", "width", "hidden")
    return part(pet_auxiliaries, branches=tasks[:-1], **{name: options[name] for name in same})


def _check(options: Mapping[str, Any]) -> None:
    check_branches(options)
    if options["branches"] and len(options["branches"]) < 3:
        raise ValueError(
            f"pet_oeq reads two auxiliary networks or more, got branches={options['branches']}; see pet_segnet for fewer"
        )


@states(
    title=lambda options: "OEQ" if options["frozen"] else "OEQ, fine-tuned",
    check=_check,
    dense_counterpart=pet_dense,
    gives=maps_last,
    least_size=least_with_decoder,
    trained_first=_auxiliaries,
    rests=lambda options: options["frozen"],
)
def pet_oeq(
    outputs: Mapping[str, int],
    *,
    branches: tuple[str, ...] = (),
    frozen: bool = True,
    stem_kernel: Kernel = 7,
    sigmoid: bool = False,
    batch_statistics: bool = False,
    unused_matrix: bool = False,
    width: Count = 16,
    hidden: Hidden = (200, 80),
) -> Connected:
    """Build the network of the pet paper's OEQ: (B, 3, H, W) -> {auxiliary: (B, numbers), the last: (B, channels, H, W)}.

    The auxiliaries' last feature maps (512 x 4 x 4) reach the target's decoder and nothing comes back. That decoder begins
    as K + 1 lanes, the target's own and one for each auxiliary; its scalars are the units of five connections:
    the one-way link; a stitch of the K + 1 lanes after decoder1 (.5 on the diagonal); after decoder2 a fusion of each
    auxiliary's lane with the own one into K lanes; a stitch of these after decoder3; their fusion into one after decoder4.
    All begin with rows that sum to one, those of equal parts: the public code's values.
    Source: "Multitask learning in image recognition, segmentation, and classification" (the pet paper), "OEQ Methodology";
    the layers are those of its public code.
    Size: 46,271,492 parameters of the target, its scalars among them, 56,568,378 with the auxiliaries, 4 more with the
    unused matrix.

    Train `pet_auxiliaries` first, store it, and load each of its streams here:
    ``taskweave.training.stages.load_streams(net, {"species": path, "box": path})``.

    Args:
        outputs: {task: channels of its output}; in the paper species, box and segmentation.
        branches: Two or more auxiliaries and then the target; () for all of `outputs`.
        frozen: Whether the auxiliaries stay as they are, with their batch norms' statistics: train with
            trained=("segmentation",). Else they are fine-tuned, by the target's loss and by their own where these are
            trained.
        stem_kernel: As in `pet_map_net`.
        sigmoid: As in `pet_map_net`.
        batch_statistics: As in `pet_map_net`.
        unused_matrix: As in `pet_auxiliaries`.
        width: As in `pet_map_net`.
        hidden: As in `pet_numbers_net`.

    Raises:
        ValueError: A branch is no task or named twice, or there are fewer than three.
    """
    names = branches_of(branches, outputs)
    _check({"branches": names})
    auxiliaries = names[:-1]
    first = pet_auxiliaries(
        outputs,
        branches=auxiliaries,
        stem_kernel=stem_kernel,
        batch_statistics=batch_statistics,
        unused_matrix=unused_matrix,
        width=width,
        hidden=hidden,
    )
    streams: dict[str, Stream] = {name: first.stream(name) for name in auxiliaries}
    target = pet_funnel(
        outputs[names[-1]], auxiliaries=len(auxiliaries), width=width, stem_kernel=stem_kernel, sigmoid=sigmoid
    )
    if batch_statistics:
        without_statistics(target)
    streams[names[-1]] = as_stream(target)
    if frozen:
        for name in auxiliaries:
            net = streams[name].net
            assert isinstance(net, PetNumbersNet)
            net.freeze()
    return Connected(streams, [*first.connections, *_funnel(streams, target=names[-1])])


def _funnel(streams: Mapping[str, Stream], *, target: str) -> list[Connection]:
    """The five connections, their units made for the features that are there."""
    count = len(streams) - 1
    one_way = part(CrossTalk, links=tuple((source, count) for source in range(count)))
    matrices: list[Lanes] = [
        mixing_matrix(count + 1, 0.5, None),
        tuple((0.5, *(0.5 if other == lane else None for other in range(count))) for lane in range(count)),
        mixing_matrix(count, 1 / count, None),
        ((1 / count,) * count,),
    ]
    units: Iterator[Part[Unit]] = iter([one_way, *(part(LaneMixing, matrix=matrix) for matrix in matrices)])
    places: list[Place] = [dict.fromkeys(streams, _END), *({target: f"decoder{i + 1}"} for i in range(len(matrices)))]
    like = next(streams[target].parameters())
    example = torch.zeros(2, 3, 64, 64, dtype=like.dtype, device=like.device)
    made = connect(streams, places, lambda shapes: next(units)(shapes), example=example, prove=False)
    return list(made.connections)


@final
class _Unused(Unit):
    """Numbers that nobody reads, registered only; every feature goes on as it is."""

    exact_start = True

    def __init__(self, count: int) -> None:
        super().__init__([FeatureShape.image(1, 1, 1)] * count)
        self.matrix = CrossStitch(self.shapes, per="layer")

    def sources(self, target: int) -> frozenset[int]:
        return frozenset((target,))

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        return list(features)

    def forward_some(self, features: Mapping[int, Tensor], targets: Collection[int]) -> dict[int, Tensor]:
        return {target: features[target] for target in targets}


_WIDE = 2
"""Decoder stages with a lane for every encoder; as many follow with a lane for every auxiliary one."""


def pet_funnel(
    channels: int, *, auxiliaries: int = 2, width: int = 16, stem_kernel: Kernel = 7, sigmoid: bool = False
) -> PetMapNet:
    """Build the target network of `pet_oeq`: (B, 3, H, W) -> (B, channels, H, W), any H and W.

    A `pet_map_net` whose decoder stages 1 and 2 have auxiliaries + 1 lanes, and 3 and 4 `auxiliaries` lanes.
    Lanes are stacked in the channels. Where a stage is not given a lane for each of its own, all of them go on from the
    first: so the network alone reads its own encoder only.
    Size: 46,271,473 parameters for two auxiliaries.
    """
    sizes = decoder_channels(width)
    lanes = [*[auxiliaries + 1] * _WIDE, *[auxiliaries] * _WIDE, 1, 1]
    stages = enumerate(zip(pairwise(sizes), lanes, strict=True))
    decoder = [LaneStages(*pair, count=count, every=DEEPEST >> i) for i, (pair, count) in stages]
    last = nn.Conv2d(sizes[-1], channels, 3, padding=1)
    return PetMapNet(pet_stem(width, stem_kernel), pet_encoder(width), nn.ModuleList(decoder), last, sigmoid=sigmoid)


@final
class LaneStages(nn.Module):
    """Decoder stages side by side, one per lane; (B, count C, H, W) -> (B, count out, 2 H, 2 W).

    Given another number of lanes, every stage reads the first.

    Args:
        channels: Channels C of each lane.
        every: As in `ResidualPair`.
    """

    def __init__(self, channels: int, out_channels: int, *, count: int, every: int) -> None:
        super().__init__()
        self.channels = channels
        self.stages = nn.ModuleList(doubling(channels, out_channels, every=every) for _ in range(count))

    def forward(self, x: Tensor) -> Tensor:
        lanes: Sequence[Tensor] = torch.split(x, self.channels, 1)
        if len(lanes) != len(self.stages):
            lanes = [lanes[0]] * len(self.stages)
        return torch.cat([stage(lane) for stage, lane in zip(self.stages, lanes, strict=True)], 1)
