"""Exchange between processes of what a metric keeps in main memory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics.utilities.distributed import gather_all_tensors


def gather_from_anywhere(value: Tensor, group: Any = None) -> list[Tensor]:
    """`gather_all_tensors` for values in main memory too, which NCCL does not carry."""
    home = value.device
    if torch.distributed.get_backend(group) == "nccl":
        value = value.cuda()
    return [part.to(home) for part in gather_all_tensors(value, group)]
