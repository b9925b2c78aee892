"""AlexNet's convolutions, of CaffeNet and of torchvision, from which two networks here are made."""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal, NamedTuple

from torch import nn

from taskweave.heads.layers import ConvReLU

Kind = Literal["caffenet", "torchvision"]


class _Body(NamedTuple):
    """What differs between the two AlexNets: widths of conv1 ... conv5, groups, whether pool1 and pool2 are normalised."""

    widths: tuple[int, int, int, int, int]
    groups: tuple[int, int, int, int, int]
    lrn: bool


_CAFFENET = _Body((96, 256, 384, 384, 256), (1, 2, 1, 2, 2), lrn=True)
_TORCHVISION = _Body((64, 192, 384, 256, 256), (1, 1, 1, 1, 1), lrn=False)
_KERNELS = (11, 5, 3, 3, 3)


def alexnet_body(kind: Kind, *, pools: tuple[int, ...] = (1, 2, 5)) -> nn.Sequential:
    """conv1, pool1, conv2, pool2, conv3, conv4, conv5, pool5, each convolution with its ReLU; every layer keeps its grid.

    Cell i of conv3 ... conv5 is centred on pixel 16 i, as in Caffe's Fast R-CNN.
    kind: "caffenet" has groups and normalises before conv2 and conv3 what was pooled, so that units meet at the pooled
        feature; "torchvision" has neither.
    pools: after which convolutions there is one.
    Raises ValueError for another kind.
    """
    body = _body(kind)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels, normalise = 3, False
    for i, (width, kernel, groups) in enumerate(zip(body.widths, _KERNELS, body.groups, strict=True), 1):
        conv = ConvReLU(channels, width, kernel_size=kernel, stride=4 if i == 1 else 1, groups=groups)
        layers[f"conv{i}"] = _after_norm(conv) if normalise else conv
        if i in pools:
            layers[f"pool{i}"] = nn.MaxPool2d(3, stride=2, padding=1)
        channels, normalise = width, body.lrn and i in (1, 2)
    return nn.Sequential(layers)


def last_width(kind: Kind) -> int:
    """Channels of conv5."""
    return _body(kind).widths[-1]


def _body(kind: Kind) -> _Body:
    if kind not in ("caffenet", "torchvision"):
        raise ValueError(f"body is 'caffenet' or 'torchvision', got {kind!r}")
    return _CAFFENET if kind == "caffenet" else _TORCHVISION


def _after_norm(conv: ConvReLU) -> nn.Sequential:
    return nn.Sequential(OrderedDict(norm=nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0), conv=conv))
