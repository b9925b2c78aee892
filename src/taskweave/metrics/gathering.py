"""Exchange between processes of what a metric keeps in main memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics.utilities.distributed import gather_all_tensors

_TYPES = (torch.float32, torch.float64, torch.int32, torch.int64)


def gather_from_anywhere(value: Tensor, group: Any = None) -> list[Tensor]:
    """`gather_all_tensors` for values in main memory too, which NCCL does not carry, and for lists that are empty."""
    home = value.device
    if torch.distributed.get_backend(group) == "nccl":
        value = value.cuda()
    return [part.to(home) for part in gather_all_tensors(_in_one_type(value, group), group)]


def _in_one_type(value: Tensor, group: Any) -> Tensor:
    """A process that saw no image holds an empty float32 vector, whatever the others hold: it takes their type."""
    said = torch.tensor(_TYPES.index(value.dtype) if value.numel() else -1, device=value.device)
    found = max(int(number) for number in gather_all_tensors(said, group))
    return value if found < 0 else value.to(_TYPES[found])
