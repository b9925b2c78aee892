"""The pet paper's network: an encoder for every task, stitched before each stage, and a decoder for the last."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

import torch

from taskweave.features import FeatureShape
from taskweave.heads.layers import Count
from taskweave.networks.pets.pet_nets import (
    USUAL_STAGES,
    Hidden,
    Kernel,
    PetNet,
    least_with_decoder,
    pet_dense,
    pet_map_net,
    pet_numbers_net,
)
from taskweave.parts import part, states
from taskweave.streams.convert import as_stream
from taskweave.units.cross_stitch import CrossStitch
from taskweave.units.unit import Unit
from taskweave.weaving.connect import UnitFactory, connect
from taskweave.weaving.connected import Connected

PUBLISHED_START: Mapping[tuple[str, ...], tuple[tuple[float, ...], ...]] = MappingProxyType(
    {
        ("species", "box", "segmentation"): ((0.6, 0.3, 0.1), (0.1, 0.6, 0.3), (0.1, 0.3, 0.6)),
        ("box", "segmentation"): ((0.8, 0.2), (0.2, 0.8)),
        ("species", "segmentation"): ((1.5, 0.5), (0.5, 1.5)),  # rows sum to 2
    }
)
"""The initial stitch matrix in the public code, by branches; the paper says random."""


def check_branches(options: Mapping[str, Any]) -> None:
    """Raise ValueError for a branch that is named twice."""
    if len(set(options["branches"])) < len(options["branches"]):
        raise ValueError(f"branches are different tasks, got {list(options['branches'])}")


def titled(title: str, options: Mapping[str, Any]) -> str:
    """A network's title with its branches, where they are chosen."""
    return f"{title} ({', '.join(options['branches'])})" if options["branches"] else title


def maps_last(options: Mapping[str, Any], tasks: tuple[str, ...]) -> Mapping[str, str]:
    """What each branch gives: the last one has the decoder."""
    return {**dict.fromkeys(tasks[:-1], "numbers"), tasks[-1]: "map"}


def _check(options: Mapping[str, Any]) -> None:
    check_branches(options)
    if options["branches"] and options["initial"] == "published":
        published_start(options["branches"])


@states(
    title=lambda options: titled("pet network", options),
    check=_check,
    dense_counterpart=pet_dense,
    gives=maps_last,
    least_size=least_with_decoder,
)
def pet_segnet(
    outputs: Mapping[str, int],
    *,
    branches: tuple[str, ...] = (),
    stem: Literal["shared", "separate"] = "shared",
    stitch: Literal["one", "per_stage", "per_channel"] = "one",
    initial: Literal["convex", "published"] = "convex",
    self_weight: float = 0.9,
    stem_kernel: Kernel = 3,
    sigmoid: bool = False,
    batch_statistics: bool = False,
    width: Count = 16,
    hidden: Hidden = (200, 80),
) -> Connected:
    """Build a pet network: (B, 3, H, W) -> {branch: (B, numbers), the last: (B, channels, H, W)}, any H and W.

    One stem for all branches, or one for each; an encoder for each branch; x'_i = sum_j A_ij x_j (eq. 1) before each of
    the five encoder stages; a decoder for the last branch, heads for the others.
    Source: "Multitask learning in image recognition, segmentation, and classification" (the pet paper), section 2.1: its
    MTL; with fewer branches its ablations, with segmentation alone its Baseline. The public code only divides
    pixels by 255.

    With a shared stem the first stitch acts on equal features: it only multiplies branch i by row sum i of A.
    Size with the shared stem and one matrix: 18,881,615 (Baseline), 24,027,597 (with species), 24,027,759 (with a box),
    29,173,742 (all); with separate stems 24,028,061, 24,028,223 and 29,174,670. The paper's table prints what a tool counts
    that takes shared modules more than once and no stitch weights: see docs/pets.md.

    Args:
        outputs: {task: channels of its output}; in the paper species, box and segmentation.
        branches: The tasks that have a branch, in order; the last one has the decoder. () for all of `outputs`.
        stem: One for all branches, or one for each.
        stitch: "one" K x K matrix of scalars for the whole network, as in the paper; one "per_stage"; or one for each
            stage and channel, "per_channel".
        initial: "convex": `self_weight`, and what is left to 1 shared by the others; "published": the public code's,
            which it has for the paper's branches.
        self_weight: Of the convex matrix.
        stem_kernel: As in `pet_map_net`.
        sigmoid: As in `pet_map_net`.
        batch_statistics: As in `pet_map_net`.
        width: As in `pet_map_net`.
        hidden: As in `pet_numbers_net`.

    Raises:
        ValueError: A branch is no task or named twice, or an option has another value.
    """
    names = branches_of(branches, outputs)
    if stem not in ("shared", "separate"):
        raise ValueError(f"stem is 'shared' or 'separate', got {stem!r}")
    nets: dict[str, PetNet] = {
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
    unit = _stitch(names, stitch, initial, self_weight)
    made = connect(streams, USUAL_STAGES if several else (), unit, example=example, prove=False)
    connections = list(made.connections)
    return Connected(streams, connections, trunk="stem" if stem == "shared" and several else None)


def _stitch(names: tuple[str, ...], stitch: str, initial: str, self_weight: float) -> UnitFactory | Unit:
    matrix = published_start(names) if initial == "published" else None
    if stitch == "one" and len(names) > 1:  # one unit, of features of any size, serves every stage
        shapes = [FeatureShape.image(1)] * len(names)
        return CrossStitch(shapes, self_weight=self_weight, matrix=matrix, per="layer")
    return part(CrossStitch, self_weight=self_weight, matrix=matrix, per="channel" if stitch == "per_channel" else "layer")


def published_start(branches: tuple[str, ...]) -> tuple[tuple[float, ...], ...]:
    """Return the initial matrix of the public code.

    Raises:
        ValueError: The public code has none for these branches.
    """
    start = PUBLISHED_START.get(branches)
    if start is None:
        raise ValueError(
            f"the public code has no start for the branches {branches}, only for {list(PUBLISHED_START)}; take "
            "initial='convex', e.g. with self_weight=0.8"
        )
    return start


def branches_of(branches: tuple[str, ...], outputs: Mapping[str, int]) -> tuple[str, ...]:
    """Return the branches; () stands for all tasks.

    Raises:
        ValueError: The branches are not distinct tasks of `outputs`.
    """
    names = tuple(branches or outputs)
    if isinstance(branches, str) or not names or [name for name in names if name not in outputs]:
        raise ValueError(f"branches are some of {list(outputs)}, each once; got {branches!r}")
    check_branches({"branches": names})
    return names
