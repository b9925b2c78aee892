"""What the attention of a comparison's networks looks at in test pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from taskweave.experiments.artifacts.predictions import as_picture
from taskweave.experiments.bench import Bench
from taskweave.experiments.building.views import statistics_of
from taskweave.experiments.choices.whole import WholeChoice
from taskweave.experiments.columns import Column
from taskweave.experiments.plan import Entry
from taskweave.experiments.running import load_network
from taskweave.networks.attending import attention_masks
from taskweave.units.attention import Attention

Masks = tuple[Tensor, dict[str, list[Tensor]]]
"""Pictures, RGB uint8 (B, 3, H, W), and {task: one mask (B, C, h, w) per block}."""


def masks_of(entry: Entry, column: Column, indices: Sequence[int], *, bench: Bench, root: Path) -> Masks | None:
    """Pictures of a test part and the masks of a finished row; None where its network is not one whole with attention.

    root: holds the runs.
    """
    if not isinstance(entry.method, WholeChoice):
        return None
    net = load_network(entry.runs[0], bench, root)
    if not any(isinstance(module, Attention) for module in net.modules()):
        return None
    part = bench.test(column)
    images = torch.stack([as_picture(torch.as_tensor(part[i]["image"]).as_subclass(Tensor)) for i in indices])
    return images, attention_masks(net, statistics_of(bench.recipe.data).normalise(images))
