"""The part of a network's output that belongs to some samples of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from taskweave.heads.outputs import AnchorOutputs, RoiAttributes, RoiOutputs


def select(output: Any, rows: Tensor) -> Any:
    """The samples `rows` (int64) of an output: along axis 0 of tensors, by image for what is made of anchors or regions.

    Mappings and sequences (an ensemble's outputs) are gone into.
    """
    match output:
        case Tensor():
            return output[rows]
        case AnchorOutputs():
            return AnchorOutputs(output.logits[rows], output.deltas[rows], output.anchors)
        case RoiOutputs():
            regions, rois = _regions(output.rois, rows)
            return RoiOutputs(output.logits[regions], output.deltas[regions], rois)
        case RoiAttributes():
            regions, rois = _regions(output.rois, rows)
            return RoiAttributes(output.logits[regions], rois)
        case Mapping():
            return {key: select(value, rows) for key, value in output.items()}
        case list() | tuple():
            return [select(value, rows) for value in output]
    return output


def _regions(rois: tuple[Tensor, ...], rows: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Positions of the regions of some images among all, and the regions themselves."""
    chosen = rows.tolist()
    counts = [len(part) for part in rois]
    places = torch.split(torch.arange(sum(counts), device=rows.device), counts)
    return torch.cat([places[i] for i in chosen]), tuple(rois[i] for i in chosen)
