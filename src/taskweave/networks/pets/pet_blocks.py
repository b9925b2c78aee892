"""What the pet networks are made of: residual stages that halve or double the size, and the head for numbers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from typing import final

from torch import Tensor, nn

from taskweave.heads.layers import ConvReLU

NORM = (0.1, 1e-5)
"""Momentum and eps of every batch norm: torch's own, as nothing else is stated."""
STAGES = 5
DEEPEST = 2 ** (STAGES + 1)
"""Pixels of the picture, a side, for one at the end of the encoder."""
COLOURS = 3
"""Channels of the last decoder stage."""


def pet_stem(width: int, kernel_size: int) -> ConvReLU:
    """Convolution of stride 2, batch norm, ReLU; (B, 3, H, W) -> (B, width, ceil(H/2), ceil(W/2))."""
    return ConvReLU(COLOURS, width, kernel_size=kernel_size, stride=2, batch_norm=NORM)


@final
class ResidualPair(nn.Module):
    """Two residual blocks over one input: y = x + f(x), then x + g(y); (B, C, H, W) -> the same.

    The second block adds the pair's input, not the first block's output, and no ReLU follows either sum, as in the pet
    paper's public code. f and g are convolution, batch norm, ReLU, convolution, batch norm.

    Args:
        every: Pixels of the picture, a side, for one of x; for the message.

    Raises:
        ValueError: There is one value per channel where batch norms go by their own batch.
    """

    def __init__(self, channels: int, *, every: int = 1) -> None:
        super().__init__()
        self.first, self.second, self.every = _block(channels), _block(channels), every

    def forward(self, x: Tensor) -> Tensor:
        own_batch = self.training or not self.first[2].track_running_stats
        if own_batch and x.shape[0] * x.shape[2] * x.shape[3] == 1:
            raise ValueError(
                f"a single picture of at most {self.every} x {self.every} px leaves one value per channel here, where "
                "batch norms need two or more, as they go by their own batch (in training; with batch_statistics always): "
                f"give a picture of more than {self.every} px on a side, or several at once"
            )
        y: Tensor = self.second(x + self.first(x))
        return x + y


def _block(channels: int) -> nn.Sequential:
    last = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(last.weight, nonlinearity="linear")
    return nn.Sequential(
        ConvReLU(channels, channels, kernel_size=3, batch_norm=NORM), last, nn.BatchNorm2d(channels, NORM[1], NORM[0])
    )


def halving(channels: int, *, every: int) -> nn.Sequential:
    """An encoder stage; (B, C, H, W) -> (B, 2 C, ceil(H/2), ceil(W/2))."""
    return nn.Sequential(
        ResidualPair(channels, every=every),
        ConvReLU(channels, 2 * channels, kernel_size=3, batch_norm=NORM),
        nn.MaxPool2d(2, ceil_mode=True),
    )


def doubling(channels: int, out_channels: int, *, every: int) -> nn.Sequential:
    """A decoder stage; (B, C, H, W) -> (B, out_channels, 2 H, 2 W). Its transposed convolution has biases."""
    wider = nn.ConvTranspose2d(channels, out_channels, 3, stride=2, padding=1, output_padding=1)
    nn.init.kaiming_normal_(wider.weight, mode="fan_out", nonlinearity="relu")  # torch swaps the fans of a transposed one
    assert wider.bias is not None
    nn.init.zeros_(wider.bias)
    norm = nn.BatchNorm2d(out_channels, NORM[1], NORM[0])
    return nn.Sequential(ResidualPair(channels, every=every), wider, norm, nn.ReLU(inplace=True))


def pet_encoder(width: int) -> nn.ModuleList:
    """Five stages, width -> 32 width channels; 16 -> 512 as published."""
    return nn.ModuleList(halving(width * 2**i, every=2 ** (i + 1)) for i in range(STAGES))


def decoder_channels(width: int) -> list[int]:
    """Of the input of every decoder stage and of the last one's output: 512, 256, ..., 16, 3 as published."""
    return [*(width * 2**i for i in reversed(range(STAGES + 1))), COLOURS]


def numbers_head(channels: int, hidden: Sequence[int], outputs: int) -> nn.Sequential:
    """(B, C, h, w) -> (B, outputs): averages over 2 x 2 fields, then linear layers without anything between them.

    So the head is one affine map of rank min(hidden) at most, as published.
    """
    if not hidden or min(hidden) < 1:
        raise ValueError(f"hidden are the widths of a pet head's inner layers, one or more; got {tuple(hidden)}")
    sizes = [4 * channels, *hidden]
    inner = {f"fc{i + 1}": nn.Linear(*pair) for i, pair in enumerate(pairwise(sizes))}
    first = {"pool": nn.AdaptiveAvgPool2d(2), "flatten": nn.Flatten()}
    return nn.Sequential(OrderedDict({**first, **inner, "last": nn.Linear(sizes[-1], outputs)}))


def without_statistics(net: nn.Module) -> None:
    """Make every batch norm go by its own batch in eval mode too, so that a prediction depends on the pictures beside it.

    A fault of the pet paper's public code, which never calls eval(), kept to compare with.
    """
    for norm in net.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.track_running_stats = False
            norm.running_mean = norm.running_var = norm.num_batches_tracked = None
