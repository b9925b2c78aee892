"""What a trained unit learned: how much of every source it hands to every destination."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import singledispatch
from typing import final

import torch
from torch import Tensor, nn

from taskweave.units.cross_connection import CrossConnection
from taskweave.units.cross_stitch import CommonStitch, CrossStitch, ScaleLayer
from taskweave.units.lane_mixing import LaneMixing
from taskweave.units.nddr import NDDR
from taskweave.units.sluice import Sluice
from taskweave.units.unit import Unit


@final
@dataclass(frozen=True)
class LearnedLink:
    """What reaches `destination` from `source`; both are positions among the features that meet, or among the lanes.

    Args:
        norm: ||W||_F / sqrt(C_t), with W the C_t x C_s matrix applied to the source's channels, before any batch norm or
            ReLU that follows. 1 for a feature passed on unchanged; with one weight per channel, their root mean square.
        alphas: The weights themselves if there is one for each channel, block or layer; () for 1x1 convolutions.
    """

    source: int
    destination: int
    norm: float
    alphas: tuple[float, ...] = ()


@singledispatch
def learned_links(unit: Unit) -> tuple[LearnedLink, ...]:
    """Every link of a unit, destination by destination; () for units that have no weight per source and destination.

    For cross-stitch units, scale layers (whose own weight is 1), the common stitch, sluices (a link's weights are those
    between all subspaces of both streams), lanes (one link per pair of lanes), NDDR (the block of W_t for each source) and
    cross-connections (the own feature counts as the identity, a gate as part of W). A unit of yours is registered with
    ``learned_links.register``. Attention and cross-talk have no such numbers: a mask hangs on the picture, and what is made
    of a feature that is concatenated lies in the next layer.
    """
    return ()


@learned_links.register
def _(unit: CrossStitch) -> tuple[LearnedLink, ...]:
    return tuple(_mixed(unit.alpha))


@learned_links.register
def _(unit: ScaleLayer) -> tuple[LearnedLink, ...]:
    own = torch.ones_like(unit.scale[0, :1])
    return tuple(_mixed(torch.stack([torch.cat([row[:t], own, row[t:]]) for t, row in enumerate(unit.scale)])))


@learned_links.register
def _(unit: CommonStitch) -> tuple[LearnedLink, ...]:
    return tuple(_mixed(unit.alpha[None, :, None].expand(len(unit.shapes), -1, 1)))


@learned_links.register
def _(unit: Sluice) -> tuple[LearnedLink, ...]:
    groups, streams = unit.subspaces, len(unit.shapes)
    blocks = unit.alpha.reshape(streams, groups, streams, groups).transpose(1, 2).flatten(2)
    # every block weighs C / G channels of each of G destinations: ||W||_F^2 = C / G * sum of squares
    return tuple(_mixed(blocks, factor=groups))


@learned_links.register
def _(unit: LaneMixing) -> tuple[LearnedLink, ...]:
    pairs = [(s, t) for t, row in enumerate(unit.matrix) for s, weight in enumerate(row) if weight is not None]
    weights = unit.alpha.tolist()
    return tuple(LearnedLink(s, t, abs(weight), (weight,)) for (s, t), weight in zip(pairs, weights, strict=True))


@learned_links.register
def _(unit: NDDR) -> tuple[LearnedLink, ...]:
    channels = [shape.channels for shape in unit.shapes]
    found: list[LearnedLink] = []
    for t, convolution in enumerate(unit.convolutions):
        assert isinstance(convolution, nn.Conv2d)
        found += [LearnedLink(s, t, _norm(block)) for s, block in enumerate(torch.split(convolution.weight, channels, 1))]
    return tuple(found)


@learned_links.register
def _(unit: CrossConnection) -> tuple[LearnedLink, ...]:
    crossing = [LearnedLink(s, t, _norm(unit.weight_of(s, t))) for s, t in unit.links]
    own = [LearnedLink(t, t, 1.0) for t in range(len(unit.shapes))]
    return tuple(sorted([*own, *crossing], key=lambda link: (link.destination, link.source)))


def _mixed(weights: Tensor, *, factor: int = 1) -> Iterator[LearnedLink]:
    """Yield the links of a unit that has N numbers per link.

    Args:
        weights: (T, S, N). The norm is the root of `factor` times their mean square.
    """
    for t, row in enumerate(weights.detach().double()):
        for s, alphas in enumerate(row):
            yield LearnedLink(s, t, math.sqrt(factor * float(alphas.square().mean())), tuple(alphas.tolist()))


def _norm(weight: Tensor) -> float:
    """Of (C_t, C_s, 1, 1)."""
    return float(weight.detach().double().square().sum().sqrt()) / math.sqrt(weight.shape[0])
