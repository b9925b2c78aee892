"""An exponential moving average of the weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import final

import torch
from torch import Tensor, nn


@final
class Average:
    """average <- d * average + (1 - d) * weights after every step, d = min(decay, (1 + s) / (10 + s)) at step s.

    Batch norms' statistics are averaged the same way; what is no float is copied.
    """

    def __init__(self, net: nn.Module, decay: float) -> None:
        self.decay = decay
        self._average = {name: tensor.detach().clone() for name, tensor in _tensors(net).items()}

    @torch.no_grad()
    def update(self, net: nn.Module, step: int) -> None:
        """Take in the weights after step number `step` (from 0)."""
        share = 1.0 - min(self.decay, (1 + step) / (10 + step))
        for name, tensor in _tensors(net).items():
            if tensor.is_floating_point():
                self._average[name].lerp_(tensor, share)
            else:
                self._average[name].copy_(tensor)

    @contextmanager
    def inside(self, net: nn.Module) -> Iterator[None]:
        """The network has the averaged weights inside, its own after."""
        own = {name: tensor.detach().clone() for name, tensor in _tensors(net).items()}
        self.load_into(net)
        try:
            yield
        finally:
            _copy(own, net)

    def load_into(self, net: nn.Module) -> None:
        """Give the network the averaged weights for good."""
        _copy(self._average, net)

    def state_dict(self) -> dict[str, Tensor]:
        return dict(self._average)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        for name, tensor in self._average.items():
            tensor.copy_(state[name])


def _tensors(net: nn.Module) -> dict[str, Tensor]:
    return {**dict(net.named_parameters()), **dict(net.named_buffers())}


@torch.no_grad()
def _copy(tensors: Mapping[str, Tensor], net: nn.Module) -> None:
    for name, tensor in _tensors(net).items():
        tensor.copy_(tensors[name])
