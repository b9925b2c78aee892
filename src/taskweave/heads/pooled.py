"""The head of a classification network: one linear layer on the mean of the last feature."""

from __future__ import annotations

from typing import final

from torch import Tensor, nn


@final
class PooledLinear(nn.Module):
    """Global average pooling, then a linear layer; (B, channels, h, w) of any size -> (B, outputs).

    What whole images are asked for: logits of classes or of ages, four numbers of a box. As in ResNets and most of timm's
    networks (Lin et al., Network in network, ICLR 2014, section 3.2, is the source of the pooling).
    Weights start from N(0, .01), biases at zero, so that a fresh head gives every class about the same probability.
    """

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        if min(channels, outputs) < 1:
            raise ValueError(f"PooledLinear needs at least one channel and one output, got {channels} and {outputs}")
        self.linear = nn.Linear(channels, outputs)
        nn.init.normal_(self.linear.weight, std=0.01)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4 or x.shape[1] != self.linear.in_features:
            raise ValueError(
                f"PooledLinear expects a feature (B, {self.linear.in_features}, h, w), got {tuple(x.shape)}; "
                "put it after the last stage that still is a map, and build it with that stage's channels"
            )
        y: Tensor = self.linear(x.mean((-2, -1)))
        return y
