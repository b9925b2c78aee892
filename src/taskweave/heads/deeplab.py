"""The heads of the DeepLab family: one large field of view, or several side by side (atrous spatial pyramid pooling)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from taskweave.heads.convolution import ConvReLU, classifier


@final
class LargeFOV(nn.Module):
    """fc6 (3x3, dilated) -> fc7 (1x1) -> fc8 (1x1); (B, in_channels, h, w) -> (B, channels, h, w).

    Source: Chen et al., DeepLab (ICLR 2015), DeepLab-LargeFOV. `fc6` and `fc7` end after their dropout, as Caffe's
    in-place layers have it.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        hidden: int = 1024,
        rate: int = 12,
        dropout: float = 0.5,
        batch_norm: tuple[float, float] | None = None,
    ) -> None:
        super().__init__()
        self.fc6 = _hidden(in_channels, hidden, kernel_size=3, dilation=rate, dropout=dropout, batch_norm=batch_norm)
        self.fc7 = _hidden(hidden, hidden, kernel_size=1, dilation=1, dropout=dropout, batch_norm=batch_norm)
        self.fc8 = classifier(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc8(self.fc7(self.fc6(x)))
        return logits


@final
class ASPP(nn.Module):
    """Atrous spatial pyramid pooling of DeepLab v2: the sum of one classifier per rate.

    hidden: 1024 gives each rate its own fc6 and fc7 (the VGG form); None makes each rate a single dilated 3x3 layer to
        the classes (the ResNet form), after `dropout`.
    Source: Chen et al., DeepLab v2 (TPAMI 2018), section 3.2.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        rates: Sequence[int] = (6, 12, 18, 24),
        hidden: int | None = 1024,
        dropout: float = 0.5,
        batch_norm: tuple[float, float] | None = None,
    ) -> None:
        super().__init__()
        _check_rates(rates)
        self.hidden = hidden
        self.fc6, self.fc7, self.fc8 = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        self.dropout = nn.Dropout(dropout) if hidden is None else nn.Identity()
        for rate in rates:
            if hidden is None:
                self.fc8.append(classifier(in_channels, channels, kernel_size=3, dilation=rate))
                continue
            self.fc6.append(
                _hidden(in_channels, hidden, kernel_size=3, dilation=rate, dropout=dropout, batch_norm=batch_norm)
            )
            self.fc7.append(_hidden(hidden, hidden, kernel_size=1, dilation=1, dropout=dropout, batch_norm=batch_norm))
            self.fc8.append(classifier(hidden, channels))

    def forward(self, x: Tensor) -> Tensor:
        x = self.dropout(x)
        branches = [x] * len(self.fc8)
        if self.hidden is not None:
            branches = [fc7(fc6(x)) for fc6, fc7 in zip(self.fc6, self.fc7, strict=True)]
        return torch.stack([fc8(branch) for fc8, branch in zip(self.fc8, branches, strict=True)]).sum(0)


@final
class ASPPv3(nn.Module):
    """Atrous spatial pyramid pooling of DeepLab v3: 1x1, one 3x3 per rate and the picture's mean, joined by a 1x1.

    Gives `hidden` features, not predictions: (B, in_channels, h, w) -> (B, hidden, h, w).
    Source: Chen et al., Rethinking atrous convolution (2017), section 3.3.
    Deviation: no batch norm on the picture's mean, which is one number per channel and would refuse a batch of one.
    """

    def __init__(
        self,
        in_channels: int,
        *,
        rates: Sequence[int] = (12, 24, 36),
        hidden: int = 256,
        dropout: float = 0.1,
        batch_norm: tuple[float, float] | None = (0.1, 1e-5),
    ) -> None:
        super().__init__()
        _check_rates(rates)
        self.branches = nn.ModuleList([ConvReLU(in_channels, hidden, kernel_size=1, batch_norm=batch_norm)])
        for rate in rates:
            self.branches.append(ConvReLU(in_channels, hidden, kernel_size=3, dilation=rate, batch_norm=batch_norm))
        self.mean = ConvReLU(in_channels, hidden, kernel_size=1)
        self.join = ConvReLU((len(rates) + 2) * hidden, hidden, kernel_size=1, batch_norm=batch_norm)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        mean = self.mean(F.adaptive_avg_pool2d(x, 1)).expand(-1, -1, x.shape[-2], x.shape[-1])
        joined: Tensor = self.dropout(self.join(torch.cat([*(branch(x) for branch in self.branches), mean], 1)))
        return joined


def _hidden(
    in_channels: int,
    hidden: int,
    *,
    kernel_size: int,
    dilation: int,
    dropout: float,
    batch_norm: tuple[float, float] | None,
) -> nn.Sequential:
    layer = ConvReLU(in_channels, hidden, kernel_size=kernel_size, dilation=dilation, batch_norm=batch_norm)
    return nn.Sequential(layer, nn.Dropout(dropout))


def _check_rates(rates: Sequence[int]) -> None:
    if not rates or any(rate < 1 for rate in rates):
        raise ValueError(f"rates are dilations of 1 or more, at least one of them; got {tuple(rates)}")
