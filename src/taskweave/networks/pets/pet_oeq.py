"""The pet paper's open-ended question: a segmentation network whose decoder also reads two encoders trained before it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import final

import torch
from torch import Tensor

from taskweave.features import FeatureShape
from taskweave.images import PLAIN, ImageStatistics
from taskweave.networks.pets.pet_blocks import STAGES, without_statistics
from taskweave.networks.pets.pet_funnel import pet_funnel
from taskweave.networks.pets.pet_nets import Kernel, PetNumbersNet, pet_numbers_net
from taskweave.networks.pets.pet_segnet import PET_OUTPUTS, check_branches
from taskweave.streams.convert import as_stream
from taskweave.streams.stream import Stream
from taskweave.units.cross_stitch import CrossStitch
from taskweave.units.cross_talk import CrossTalk
from taskweave.units.lane_mixing import LaneMixing, Links
from taskweave.units.mixing import mixing_matrix
from taskweave.units.unit import Unit
from taskweave.weaving.connect import UnitFactory, connect
from taskweave.weaving.connected import Connected, Decoder
from taskweave.weaving.connection import Connection, Place

_END = f"encoder{STAGES}"


def pet_auxiliaries(
    branches: Sequence[str] = ("species", "box"),
    *,
    outputs: Mapping[str, int] = PET_OUTPUTS,
    stem_kernel: Kernel = 7,
    batch_statistics: bool = False,
    unused_matrix: bool = False,
    width: int = 16,
    hidden: Sequence[int] = (200, 80),
    tasks: Mapping[str, Decoder] | None = None,
    statistics: ImageStatistics = PLAIN,
) -> Connected:
    """The networks that `pet_oeq` reads, side by side, to be trained first; (B, 3, H, W) -> {branch: (B, numbers)}.

    Each has a stem, 7x7 as published, an encoder and a head; they exchange nothing, and have 10,296,886 parameters.

    branches: some keys of `outputs`, in order.
    unused_matrix: also register the K x K numbers that the public code has here and does not use.
    The rest: as in `pet_oeq`.
    """
    check_branches(branches, outputs, decoded=False)
    streams = {
        name: as_stream(
            pet_numbers_net(
                outputs[name], width=width, hidden=hidden, stem_kernel=stem_kernel, batch_statistics=batch_statistics
            )
        )
        for name in branches
    }
    idle = [Connection(dict.fromkeys(streams, "stem"), _Unused(len(streams)))] if unused_matrix else []
    return Connected(streams, idle, tasks=tasks, statistics=statistics)


def pet_oeq(
    branches: Sequence[str] = ("species", "box", "segmentation"),
    *,
    outputs: Mapping[str, int] = PET_OUTPUTS,
    frozen: bool = True,
    stem_kernel: Kernel = 7,
    sigmoid: bool = False,
    batch_statistics: bool = False,
    unused_matrix: bool = False,
    width: int = 16,
    hidden: Sequence[int] = (200, 80),
    tasks: Mapping[str, Decoder] | None = None,
    statistics: ImageStatistics = PLAIN,
) -> Connected:
    """A fresh network of the pet paper's OEQ; (B, 3, H, W) -> {auxiliary: (B, numbers), the last: (B, channels, H, W)}.

    The auxiliaries' last feature maps (512 x 4 x 4) reach the target's decoder and nothing comes back. That decoder begins
    as K + 1 lanes, the target's own and one for each auxiliary; its scalars are the units of five connections:
    the one-way link; a stitch of the K + 1 lanes after decoder1 (.5 on the diagonal); after decoder2 a fusion of each
    auxiliary's lane with the own one into K lanes; a stitch of these after decoder3; their fusion into one after decoder4.
    All begin with rows that sum to one, those of equal parts: the public code's values.
    Source: "Multitask learning in image recognition, segmentation, and classification" (the pet paper), "OEQ Methodology";
    the layers are those of its public code.

    Train `pet_auxiliaries` first, store it, and load each of its streams here:
    ``taskweave.training.stages.load_streams(net, {"species": path, "box": path})``.

    branches: two or more auxiliaries and the target: some keys of `outputs` in order, the last one among them.
    frozen: the auxiliaries stay as they are, with their batch norms' statistics: train with trained=("segmentation",). Else
        they are fine-tuned, by the target's loss and by their own where these are trained.
    stem_kernel, sigmoid, batch_statistics, width: as in `pet_map_net`.  hidden: as in `pet_numbers_net`.
    unused_matrix: as in `pet_auxiliaries`.
    tasks, statistics: as in `Connected`.
    Size: 46,271,492 parameters of the target, its scalars among them, 56,568,378 with the auxiliaries, 4 more with the
    unused matrix.
    """
    names = check_branches(branches, outputs)
    auxiliaries = names[:-1]
    if len(auxiliaries) < 2:
        raise ValueError(f"pet_oeq reads two auxiliary networks or more, got branches={names}; see pet_segnet for fewer")
    first = pet_auxiliaries(
        auxiliaries,
        outputs=outputs,
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
    idle = [first.connection(i) for i in range(len(first.connections))]
    if frozen:
        _freeze(first)
    connections = [*idle, *_funnel(streams, target=names[-1])]
    return Connected(streams, connections, tasks=tasks, statistics=statistics)


def _freeze(auxiliaries: Connected) -> None:
    for name in auxiliaries.streams:
        net = auxiliaries.stream(name).net
        assert isinstance(net, PetNumbersNet)
        net.freeze()


def _funnel(streams: Mapping[str, Stream], *, target: str) -> list[Connection]:
    """The five connections, their units made for the features that are there."""
    count = len(streams) - 1
    one_way = partial(CrossTalk, links=[(source, count) for source in range(count)])
    starts: list[Links] = [
        mixing_matrix(count + 1, 0.5, None),
        [[0.5, *(0.5 if other == lane else None for other in range(count))] for lane in range(count)],
        mixing_matrix(count, 1 / count, None),
        [[1 / count] * count],
    ]
    units: Iterator[UnitFactory] = iter([one_way, *(partial(LaneMixing, start=start) for start in starts)])
    places: list[Place] = [dict.fromkeys(streams, _END), *({target: f"decoder{i + 1}"} for i in range(len(starts)))]
    like = next(streams[target].parameters())
    example = torch.zeros(2, 3, 64, 64, dtype=like.dtype, device=like.device)
    made = connect(streams, places, lambda shapes: next(units)(shapes), example=example, prove=False)
    return [made.connection(index) for index in range(len(made.connections))]


@final
class _Unused(Unit):
    """Numbers that nobody reads, registered only; every feature goes on as it is."""

    def __init__(self, count: int) -> None:
        super().__init__([FeatureShape.image(1, 1, 1)] * count)
        self.matrix = CrossStitch(self.shapes, per="layer")

    @property
    def exact_start(self) -> bool:
        return True

    def sources(self, target: int) -> frozenset[int]:
        return frozenset((target,))

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        return list(features)

    def forward_some(self, features: Mapping[int, Tensor], targets: Collection[int]) -> dict[int, Tensor]:
        return {target: features[target] for target in targets}
