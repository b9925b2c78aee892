"""The head of VGG-16: two wide fully connected layers and a classifier on a grid of pooled features."""

from __future__ import annotations

from typing import final

from torch import Tensor, nn

from taskweave.heads.roi import FullyConnected


@final
class VGGClassifier(nn.Module):
    """fc6, fc7 (each with ReLU and dropout), fc8 on grid x grid means; (B, in_channels, h, w) -> (B, outputs), any h and w.

    VGG-16 has grid=7 and hidden=4096. `fc6` and `fc7` give (B, hidden, 1, 1), so that units read them as maps.
    Source: Simonyan and Zisserman (ICLR 2015), table 1; the means are torchvision's, for pictures of other sizes than 224.
    """

    def __init__(self, in_channels: int, outputs: int, *, grid: int = 7, hidden: int = 4096, dropout: float = 0.5) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d((grid, grid))
        self.fc6 = FullyConnected(in_channels * grid**2, hidden, dropout=dropout)
        self.fc7 = FullyConnected(hidden, hidden, dropout=dropout)
        self.fc8 = nn.Linear(hidden, outputs)
        nn.init.normal_(self.fc8.weight, std=0.01)
        nn.init.zeros_(self.fc8.bias)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc8(self.fc7(self.fc6(self.pool(x))).flatten(1))
        return logits
