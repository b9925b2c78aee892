"""The layer that networks and heads here are built of: a convolution, perhaps batch norm, ReLU."""

from __future__ import annotations

from typing import final

from torch import Tensor, nn


@final
class ConvReLU(nn.Module):
    """Convolution -> (batch norm) -> ReLU. With batch norm the convolution has no bias: the norm's takes its place.

    Padded so that stride 1 keeps the height and width; an even kernel one more at the right and bottom.
    batch_norm: None, or (momentum, eps) of the norm.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: int,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        batch_norm: tuple[float, float] | None = None,
    ) -> None:
        super().__init__()
        reach = dilation * (kernel_size - 1)
        odd = reach % 2  # torch's padding="same" would warn here and pad the same way
        self.pad = nn.ZeroPad2d((0, 1, 0, 1)) if odd else nn.Identity()
        self.conv = nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=reach // 2,
            dilation=dilation,
            groups=groups,
            bias=batch_norm is None,
        )
        self.norm = None if batch_norm is None else nn.BatchNorm2d(out_channels, momentum=batch_norm[0], eps=batch_norm[1])
        self.relu = nn.ReLU(inplace=True)
        nn.init.kaiming_normal_(self.conv.weight, mode="fan_in", nonlinearity="relu")
        if self.conv.bias is not None:
            nn.init.zeros_(self.conv.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(self.pad(x))
        if self.norm is not None:
            x = self.norm(x)
        y: Tensor = self.relu(x)
        return y


def classifier(in_channels: int, out_channels: int, *, kernel_size: int = 1, dilation: int = 1) -> nn.Conv2d:
    """The last layer of a dense network: weights from N(0, .01), biases zero, as DeepLab's authors start it."""
    layer = nn.Conv2d(in_channels, out_channels, kernel_size, padding=dilation * (kernel_size // 2), dilation=dilation)
    nn.init.normal_(layer.weight, std=0.01)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
