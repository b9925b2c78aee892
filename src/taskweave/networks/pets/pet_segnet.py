"""The pet paper's network: an encoder for every task, stitched before each stage, and a decoder for the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import torch

from taskweave.features import FeatureShape
from taskweave.images import PLAIN, ImageStatistics
from taskweave.networks.pets.pet_nets import PLACES, Kernel, PetMapNet, PetNumbersNet, pet_map_net, pet_numbers_net
from taskweave.streams.convert import as_stream
from taskweave.units.cross_stitch import CrossStitch
from taskweave.units.unit import Unit
from taskweave.weaving.connect import UnitFactory, connect
from taskweave.weaving.connected import Connected, Decoder
from taskweave.weaving.connection import Place

PET_OUTPUTS: Mapping[str, int] = MappingProxyType({"species": 2, "box": 4, "segmentation": 2})
"""{branch: channels of its output}, in the paper's order; the last one is decoded to a map."""

PUBLISHED_START: Mapping[tuple[str, ...], tuple[tuple[float, ...], ...]] = MappingProxyType(
    {
        ("species", "box", "segmentation"): ((0.6, 0.3, 0.1), (0.1, 0.6, 0.3), (0.1, 0.3, 0.6)),
        ("box", "segmentation"): ((0.8, 0.2), (0.2, 0.8)),
        ("species", "segmentation"): ((1.5, 0.5), (0.5, 1.5)),  # rows sum to 2
    }
)
"""The start of the stitch matrix in the public code; the paper says random."""


def pet_segnet(
    branches: Sequence[str] = ("species", "box", "segmentation"),
    *,
    outputs: Mapping[str, int] = PET_OUTPUTS,
    unit: UnitFactory | Unit | None = None,
    at: Sequence[str | Place] = PLACES,
    stem: Literal["shared", "separate"] = "shared",
    stem_kernel: Kernel = 3,
    sigmoid: bool = False,
    batch_statistics: bool = False,
    width: int = 16,
    hidden: Sequence[int] = (200, 80),
    tasks: Mapping[str, Decoder] | None = None,
    statistics: ImageStatistics = PLAIN,
) -> Connected:
    """A fresh pet network; (B, 3, H, W) -> {branch: (B, numbers), the last: (B, channels, H, W)}, any H and W.

    One stem for all branches, or one for each; an encoder for each branch; x'_i = sum_j A_ij x_j (eq. 1) before each of
    the five encoder stages; a decoder for the last branch, heads for the others.
    Source: "Multitask learning in image recognition, segmentation, and classification" (the pet paper), section 2.1: its
    MTL; with fewer branches its ablations, with ("segmentation",) its Baseline.

    branches: any of the keys of `outputs`, in that order, the last one among them.
    outputs: {branch: channels of its output}. The last is the one with the decoder.
    unit: at every place of `at`: a unit object serves all places (one matrix), a factory makes one for each. Unless given,
        one K x K matrix of scalars for the whole network, as in the paper, which starts at (.9, the rest shared).
        ``partial(CrossStitch, per="layer")``: a matrix per stage; ``CrossStitch``: per stage and channel;
        ``published_stitch(branches)``: one matrix, with the public code's start.
    stem_kernel, sigmoid, batch_statistics, width: as in `pet_map_net`.  hidden: as in `pet_numbers_net`.
    tasks, statistics: as in `Connected`; the public code only divides pixels by 255.

    With a shared stem the first stitch acts on equal features: it only multiplies branch i by row sum i of A.
    Size with the shared stem and one matrix: 18,881,615 (Baseline), 24,027,597 (with species), 24,027,759 (with a box),
    29,173,742 (all); with separate stems 24,028,061, 24,028,223 and 29,174,670. The paper's table prints what a tool counts
    that takes shared modules more than once and no stitch weights: see docs/pets.md.
    Raises ValueError for branches that are not of that form.
    """
    names = check_branches(branches, outputs)
    if stem not in ("shared", "separate"):
        raise ValueError(f"stem is 'shared' or 'separate', got {stem!r}")
    nets: dict[str, PetMapNet | PetNumbersNet] = {
        name: pet_numbers_net(
            outputs[name], width=width, hidden=hidden, stem_kernel=stem_kernel, batch_statistics=batch_statistics
        )
        for name in names[:-1]
    }
    nets[names[-1]] = pet_map_net(
        outputs[names[-1]], width=width, stem_kernel=stem_kernel, sigmoid=sigmoid, batch_statistics=batch_statistics
    )
    if stem == "shared":
        for net in nets.values():
            net.stem = nets[names[0]].stem
    streams = {name: as_stream(net) for name, net in nets.items()}
    several = len(names) > 1
    like = next(nets[names[-1]].parameters())
    example = torch.zeros(2, 3, 64, 64, dtype=like.dtype, device=like.device)
    units = unit if unit is not None else one_matrix(len(names)) if several else CrossStitch
    made = connect(streams, at if several else (), units, example=example, prove=False)
    connections = [made.connection(index) for index in range(len(made.connections))]
    trunk = "stem" if stem == "shared" and several else None
    return Connected(streams, connections, trunk=trunk, tasks=tasks, statistics=statistics)


def one_matrix(count: int, *, self_weight: float = 0.9, matrix: Sequence[Sequence[float]] | None = None) -> CrossStitch:
    """A unit of count x count numbers for features of any size, to serve every place; see `CrossStitch`."""
    shapes = [FeatureShape.image(1, 1, 1)] * count
    return CrossStitch(shapes, self_weight=self_weight, matrix=matrix, per="layer")


def published_stitch(branches: Sequence[str] = ("species", "box", "segmentation")) -> CrossStitch:
    """One matrix for all places, with the public code's start for these branches. Raises ValueError where it has none."""
    return one_matrix(len(branches), matrix=published_start(branches))


def published_start(branches: Sequence[str]) -> tuple[tuple[float, ...], ...]:
    """The public code's start of the matrix. Raises ValueError for branches that it has none for."""
    start = PUBLISHED_START.get(tuple(branches))
    if start is None:
        raise ValueError(
            f"the public code has no start for the branches {tuple(branches)}, only for {list(PUBLISHED_START)}; "
            "give pet_segnet another unit, e.g. partial(CrossStitch, per='layer', self_weight=0.8)"
        )
    return start


def check_branches(branches: Sequence[str], outputs: Mapping[str, int], *, decoded: bool = True) -> tuple[str, ...]:
    """The branches. Raises ValueError unless they are some of `outputs`, in order; decoded: and end in its last."""
    names, known = tuple(branches), list(outputs)
    ordered = [name for name in known if name in names]
    if isinstance(branches, str) or not names or list(names) != ordered or (decoded and names[-1] != known[-1]):
        end = f", and end in {known[-1]!r}, which has the decoder" if decoded else ""
        raise ValueError(f"branches are some of {known}, each once and in this order{end}; got {branches!r}")
    return names
