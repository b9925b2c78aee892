"""How large a network is and what one picture costs: from shapes alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from taskweave.streams.stream import evaluating, is_meta


@final
@dataclass(frozen=True)
class Cost:
    """parameters: distinct trained numbers.  flops: of one forward pass of one picture (a multiply-add is 2)."""

    parameters: int
    flops: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.parameters + other.parameters, self.flops + other.flops)


def cost_of(net: nn.Module, size: tuple[int, int], tasks: Collection[str] | None = None) -> Cost:
    """The cost of `net` for one RGB picture of `size` (height, width), from shapes alone; `net` may stand anywhere."""
    parameters = sum(p.numel() for p in net.parameters() if p.requires_grad)
    return Cost(parameters, _flops(net, size, tasks))


def _flops(net: nn.Module, size: tuple[int, int], tasks: Collection[str] | None) -> int:
    x = torch.empty(1, 3, *size, device="meta")
    state: dict[str, Tensor] = {}
    if not is_meta(net):
        tensors = [*net.named_parameters(), *net.named_buffers()]
        state = {name: torch.empty_like(value, device="meta") for name, value in tensors}
    with evaluating(net), torch.no_grad(), FlopCounterMode(display=False) as counter:
        torch.func.functional_call(net, state, (x, tasks), strict=False)
    return int(counter.get_total_flops())
