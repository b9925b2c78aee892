"""The target network of the pet paper's open-ended question: a decoder that begins as several lanes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import final

import torch
from torch import Tensor, nn

from taskweave.networks.pets.pet_blocks import DEEPEST, decoder_channels, doubling, pet_encoder, pet_stem
from taskweave.networks.pets.pet_nets import Kernel, PetMapNet

_WIDE = 2
"""Decoder stages with a lane for every encoder; as many follow with a lane for every auxiliary one."""


def pet_funnel(
    channels: int = 2, *, auxiliaries: int = 2, width: int = 16, stem_kernel: Kernel = 7, sigmoid: bool = False
) -> PetMapNet:
    """A fresh target network of `pet_oeq`; (B, 3, H, W) -> (B, channels, H, W), any H and W.

    A `pet_map_net` whose decoder stages 1 and 2 have auxiliaries + 1 lanes, and 3 and 4 `auxiliaries` lanes.
    Lanes are stacked in the channels. Where a stage is not given a lane for each of its own, all of them go on from the
    first: so the network alone reads its own encoder only.
    Size: 46,271,473 parameters for two auxiliaries.
    """
    sizes = decoder_channels(width)
    lanes = [*[auxiliaries + 1] * _WIDE, *[auxiliaries] * _WIDE, 1, 1]
    stages = enumerate(zip(pairwise(sizes), lanes, strict=True))
    decoder = [Lanes(*pair, count=count, every=DEEPEST >> i) for i, (pair, count) in stages]
    last = nn.Conv2d(sizes[-1], channels, 3, padding=1)
    return PetMapNet(pet_stem(width, stem_kernel), pet_encoder(width), nn.ModuleList(decoder), last, sigmoid=sigmoid)


@final
class Lanes(nn.Module):
    """Decoder stages side by side; (B, count C, H, W) -> (B, count out, 2 H, 2 W), each lane in a stage of its own.

    Given another number of lanes, every stage takes the first. every: as in `ResidualPair`.
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
