"""The head of FCN-32s: a classification network's fully connected layers as convolutions."""

from __future__ import annotations

from typing import final

from torch import Tensor, nn

from taskweave.heads.convolution import ConvReLU, classifier


@final
class FCN32s(nn.Module):
    """fc6 (kernel x kernel) -> fc7 (1x1) -> score (1x1); (B, in_channels, h, w) -> (B, channels, h, w).

    Source: Long et al., Fully convolutional networks (CVPR 2015), section 4.1. `fc6` and `fc7` end after their dropout.
    Deviation: fc6 keeps the size. An even kernel is padded one more at the right and bottom, which moves the centre of
    each output cell by half a cell; see `fcn32s_alexnet` for why that is wanted.
    """

    def __init__(
        self, in_channels: int, channels: int, *, kernel_size: int = 6, hidden: int = 4096, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.fc6 = nn.Sequential(ConvReLU(in_channels, hidden, kernel_size=kernel_size), nn.Dropout(dropout))
        self.fc7 = nn.Sequential(ConvReLU(hidden, hidden, kernel_size=1), nn.Dropout(dropout))
        self.score = classifier(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.score(self.fc7(self.fc6(x)))
        return scores
